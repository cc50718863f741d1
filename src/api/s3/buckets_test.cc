#include "api/s3/testing/s3_fixture.h"

namespace headrace::api::s3 {
namespace {

TEST_F(S3Test, MakesListsAndDeletesBuckets) {
  const Answer made = Call("PUT", "/bucket");
  EXPECT_EQ(made.status, 200);
  EXPECT_EQ(made.headers.Get("Location"), "/bucket");
  EXPECT_EQ(As(kBob, "GET", "/").Elements("Name").size(), 0U);
  const Answer list = Call("GET", "/");
  EXPECT_EQ(list.Elements("Name"), (std::vector<std::string>{"bucket"}));
  EXPECT_EQ(list.Element("CreationDate"), "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(list.Element("ID"), kAlice);
  EXPECT_EQ(Call("DELETE", "/bucket").status, 204);
  EXPECT_EQ(Call("DELETE", "/bucket").code(), "NoSuchBucket");
}

TEST_F(S3Test, NamesOfBucketsAreEverybodys) {
  MakeBucket();
  EXPECT_EQ(Call("PUT", "/bucket").code(), "BucketAlreadyOwnedByYou");
  EXPECT_EQ(As(kBob, "PUT", "/bucket").code(), "BucketAlreadyExists");
  for (const char* bad : {"/ab", "/Upper", "/a..b", "/-ab", "/192.168.0.1", "/under_score"})
    EXPECT_EQ(Call("PUT", bad).code(), "InvalidBucketName") << bad;
}

TEST_F(S3Test, KnowsWhereABucketIs) {
  MakeBucket("ours");
  EXPECT_EQ(Call("GET", "/ours?location").Element("LocationConstraint"), "");
  EXPECT_NE(Call("GET", "/ours?location").body.find(">us-west-2</LocationConstraint>"), std::string::npos);
  EXPECT_EQ(Call("HEAD", "/ours").headers.Get("x-amz-bucket-region"), "us-west-2");
  const std::string there =
      "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";
  Put("/theirs", there);
  EXPECT_EQ(Call("HEAD", "/theirs").headers.Get("x-amz-bucket-region"), "eu-central-1");
  EXPECT_EQ(Call("PUT", "/bad", "<CreateBucket").code(), "MalformedXML");
  EXPECT_EQ(Call("HEAD", "/absent").status, 404);
}

TEST_F(S3Test, KeepsFullBuckets) {
  MakeBucket();
  Put("/bucket/k", "x");
  EXPECT_EQ(Call("DELETE", "/bucket").code(), "BucketNotEmpty");
  EXPECT_EQ(Call("DELETE", "/bucket").status, 409);
}

TEST_F(S3Test, VersioningIsRefusedClearly) {
  MakeBucket();
  EXPECT_EQ(Call("GET", "/bucket?versioning").Element("Status"), "");
  const auto status = [](const std::string& value) {
    return "<VersioningConfiguration><Status>" + value + "</Status></VersioningConfiguration>";
  };
  EXPECT_EQ(Call("PUT", "/bucket?versioning", status("Enabled")).code(), "NotImplemented");
  EXPECT_EQ(Call("PUT", "/bucket?versioning", status("Suspended")).status, 200);
  EXPECT_EQ(Call("GET", "/bucket?versioning").Element("Status"), "Suspended");
}

TEST_F(S3Test, TagsBuckets) {
  MakeBucket();
  EXPECT_EQ(Call("GET", "/bucket?tagging").code(), "NoSuchTagSet");
  const std::string tags = "<Tagging><TagSet><Tag><Key>k</Key><Value>v&amp;</Value></Tag></TagSet></Tagging>";
  EXPECT_EQ(Call("PUT", "/bucket?tagging", tags).status, 204);
  EXPECT_EQ(Call("GET", "/bucket?tagging").Element("Value"), "v&amp;");
  EXPECT_EQ(Call("DELETE", "/bucket?tagging").status, 204);
  EXPECT_EQ(Call("GET", "/bucket?tagging").code(), "NoSuchTagSet");
}

TEST_F(S3Test, WhatItDoesNotHaveIsNotImplemented) {
  MakeBucket();
  for (const char* target : {"/bucket?lifecycle", "/bucket?cors", "/bucket?website", "/bucket?replication",
                             "/bucket?object-lock", "/bucket?inventory&id=1", "/bucket/k?retention"})
    EXPECT_EQ(Call("PUT", target, "<x/>").code(), "NotImplemented") << target;
  EXPECT_EQ(Call("POST", "/bucket/k?select", "<x/>").code(), "NotImplemented");
  EXPECT_EQ(Call("POST", "/bucket").code(), "PreconditionFailed");  // no form
  EXPECT_EQ(Call("PATCH", "/bucket/k").code(), "MethodNotAllowed");
  EXPECT_EQ(Call("POST", "/").status, 405);
}

TEST_F(S3Test, OthersSeeNothingUnlessTheyMay) {
  MakeBucket();
  Put("/bucket/k", "secret");
  for (const char* target : {"/bucket", "/bucket/k", "/bucket/absent", "/bucket?policy", "/bucket?acl"})
    EXPECT_EQ(As(kBob, "GET", target).status, 403) << target;
  EXPECT_EQ(As(kBob, "PUT", "/bucket/k", "x").code(), "AccessDenied");
  EXPECT_EQ(As(kBob, "DELETE", "/bucket/k").code(), "AccessDenied");
  EXPECT_EQ(As(kBob, "DELETE", "/bucket").code(), "AccessDenied");
  EXPECT_EQ(Get("/bucket/k"), "secret");
}

TEST_F(S3Test, CannedAclsOpenDoors) {
  MakeBucket();
  Put("/bucket/open", "x", {{"x-amz-acl", "public-read"}});
  Put("/bucket/closed", "x");
  EXPECT_EQ(As(kBob, "GET", "/bucket/open").status, 200);
  EXPECT_EQ(As(kBob, "GET", "/bucket/closed").status, 403);
  EXPECT_EQ(Call("PUT", "/bucket?acl", "", {{"x-amz-acl", "public-read-write"}}).status, 200);
  EXPECT_EQ(As(kBob, "GET", "/bucket").Elements("Key").size(), 2U);
  EXPECT_EQ(As(kBob, "PUT", "/bucket/bobs", "x").status, 200);
  EXPECT_EQ(As(kBob, "GET", "/bucket/bobs").status, 200);
  EXPECT_EQ(As(kBob, "GET", "/bucket/closed").status, 403);
  EXPECT_EQ(Get("/bucket/bobs"), "x");
  EXPECT_EQ(Call("GET", "/bucket?acl").Elements("Permission"),
            (std::vector<std::string>{"FULL_CONTROL", "READ", "WRITE"}));
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{"x-amz-acl", "everybody"}}).code(), "InvalidArgument");
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{"x-amz-grant-read", "id=1"}}).code(), "NotImplemented");
}

TEST_F(S3Test, AclDocumentsAreReadBack) {
  MakeBucket();
  Put("/bucket/k", "x", {{"x-amz-acl", "authenticated-read"}});
  const std::string document = Call("GET", "/bucket/k?acl").body;
  Put("/bucket/other", "x");
  EXPECT_EQ(Call("PUT", "/bucket/other?acl", document).status, 200);
  EXPECT_EQ(As(kBob, "GET", "/bucket/other").status, 200);
}

TEST_F(S3Test, PoliciesOpenAndCloseDoors) {
  MakeBucket();
  Put("/bucket/shared/k", "x");
  Put("/bucket/k", "x");
  EXPECT_EQ(Call("GET", "/bucket?policy").code(), "NoSuchBucketPolicy");
  const std::string policy =
      R"({"Statement":[{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"s3:GetObject",)"
      R"("Resource":"arn:aws:s3:::bucket/shared/*"},{"Effect":"Deny","Principal":"*","Action":"s3:DeleteObject",)"
      R"("Resource":"arn:aws:s3:::bucket/*"}]})";
  EXPECT_EQ(Call("PUT", "/bucket?policy", policy).status, 204);
  EXPECT_EQ(Get("/bucket?policy"), policy);
  EXPECT_EQ(As(kBob, "GET", "/bucket/shared/k").status, 200);
  EXPECT_EQ(As(kBob, "GET", "/bucket/k").status, 403);
  EXPECT_EQ(As(kBob, "PUT", "/bucket/shared/k", "y").status, 403);
  EXPECT_EQ(Call("DELETE", "/bucket/k").status, 403);  // the owner, too
  EXPECT_EQ(Call("DELETE", "/bucket?policy").status, 204);
  EXPECT_EQ(Call("DELETE", "/bucket/k").status, 204);
  EXPECT_EQ(Call("PUT", "/bucket?policy", "{").code(), "MalformedPolicy");
}

TEST_F(S3Test, ExpectedOwnerIsChecked) {
  MakeBucket();
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{"x-amz-expected-bucket-owner", kAlice}}).status, 200);
  EXPECT_EQ(Call("GET", "/bucket/k", "", {{"x-amz-expected-bucket-owner", kBob}}).status, 403);
}

TEST_F(S3Test, TakesTheBucketFromTheHost) {
  MakeBucket();
  const auto host = [](const std::string& name) { return Fields{{"Host", name}}; };
  EXPECT_EQ(Call("PUT", "/k", "x", host("bucket.localhost:4567")).status, 200);
  EXPECT_EQ(Call("PUT", "/k2", "x", host("bucket.s3.us-west-2.amazonaws.com")).status, 200);
  EXPECT_EQ(Call("GET", "/", "", host("bucket.localhost")).Elements("Key").size(), 2U);
  EXPECT_EQ(Call("GET", "/bucket/k", "", host("localhost:4567")).body, "x");
  EXPECT_EQ(Call("GET", "/bucket/k", "", host("gpu1.example.com")).body, "x");
}

}  // namespace
}  // namespace headrace::api::s3
