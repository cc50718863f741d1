#include "api/s3/testing/s3_fixture.h"

namespace headrace::api::s3 {
namespace {

class ConfigurationTest : public S3Test {
 protected:
  ConfigurationTest() { MakeBucket(); }
};

TEST_F(ConfigurationTest, WhatNoBucketHasIsSaidAsS3SaysIt) {
  const std::vector<std::pair<const char*, const char*>> codes = {
      {"lifecycle", "NoSuchLifecycleConfiguration"},
      {"cors", "NoSuchCORSConfiguration"},
      {"website", "NoSuchWebsiteConfiguration"},
      {"replication", "ReplicationConfigurationNotFoundError"},
      {"object-lock", "ObjectLockConfigurationNotFoundError"},
      {"policy", "NoSuchBucketPolicy"},
      {"policyStatus", "NoSuchBucketPolicy"},
      {"tagging", "NoSuchTagSet"},
      {"analytics&id=1", "NoSuchConfiguration"},
      {"inventory&id=1", "NoSuchConfiguration"},
      {"metrics&id=1", "NoSuchConfiguration"},
      {"intelligent-tiering&id=1", "NoSuchConfiguration"}};
  for (const auto& [name, code] : codes) {
    const Answer answer = Call("GET", std::string("/bucket?") + name);
    EXPECT_EQ(answer.status, 404) << name;
    EXPECT_EQ(answer.code(), code) << name;
    EXPECT_EQ(Call("GET", std::string("/absent?") + name).code(), "NoSuchBucket") << name;
    EXPECT_EQ(As(kBob, "GET", std::string("/bucket?") + name).code(), "AccessDenied") << name;
  }
  for (const char* name :
       {"notification", "logging", "accelerate", "requestPayment", "analytics", "inventory", "metrics",
        "intelligent-tiering", "encryption", "publicAccessBlock", "ownershipControls", "abac"})
    EXPECT_EQ(Call("GET", std::string("/bucket?") + name).status, 200) << name;
  EXPECT_EQ(Call("GET", "/bucket?requestPayment").Element("Payer"), "BucketOwner");
  EXPECT_EQ(Call("GET", "/bucket?inventory").Element("IsTruncated"), "false");
  for (const char* name : {"lifecycle", "cors", "website", "replication"})
    EXPECT_EQ(Call("DELETE", std::string("/bucket?") + name).status, 204) << name;
}

TEST_F(ConfigurationTest, PuttingWhatHoldsAlreadySucceeds) {
  EXPECT_EQ(Call("PUT", "/bucket?notification", "<NotificationConfiguration/>").status, 200);
  EXPECT_EQ(Call("PUT", "/bucket?logging", "<BucketLoggingStatus/>").status, 200);
  EXPECT_EQ(
      Call("PUT", "/bucket?accelerate", "<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>")
          .status,
      200);
  EXPECT_EQ(
      Call("PUT", "/bucket?accelerate", "<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>")
          .code(),
      "NotImplemented");
  EXPECT_EQ(Call("PUT", "/bucket?notification",
                 "<NotificationConfiguration><TopicConfiguration/></NotificationConfiguration>")
                .code(),
            "NotImplemented");
}

TEST_F(ConfigurationTest, ObjectsAskedForLocksAndTorrents) {
  Put("/bucket/k", "x");
  EXPECT_EQ(Call("GET", "/bucket/k?retention").code(), "InvalidRequest");
  EXPECT_EQ(Call("GET", "/bucket/k?legal-hold").code(), "InvalidRequest");
  EXPECT_EQ(Call("GET", "/bucket/k?torrent").code(), "MethodNotAllowed");
}

TEST_F(ConfigurationTest, EncryptionIsKeptAndTold) {
  constexpr const char* kField = "x-amz-server-side-encryption";
  constexpr const char* kKey = "x-amz-server-side-encryption-aws-kms-key-id";
  const auto told = [&](const Answer& answer) { return answer.headers.Get(kField) + " " + answer.headers.Get(kKey); };
  EXPECT_EQ(told(Call("PUT", "/bucket/plain", "x")), "AES256 ");
  EXPECT_EQ(told(Call("PUT", "/bucket/kms", "x", {{kField, "aws:kms"}, {kKey, "my-key"}})), "aws:kms my-key");
  for (const char* method : {"GET", "HEAD"}) {
    EXPECT_EQ(told(Call(method, "/bucket/plain")), "AES256 ") << method;
    EXPECT_EQ(told(Call(method, "/bucket/kms")), "aws:kms my-key") << method;
  }
  EXPECT_EQ(told(Call("PUT", "/bucket/copy", "", {{"x-amz-copy-source", "bucket/kms"}})), "AES256 ");
  EXPECT_EQ(told(Call("POST", "/bucket/m?uploads", "", {{kField, "aws:kms"}})),
            "aws:kms arn:aws:kms:us-west-2:" + kAlice + ":alias/aws/s3");
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{kField, "rot13"}}).code(), "InvalidArgument");
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{kKey, "my-key"}}).code(), "InvalidArgument");
}

TEST_F(ConfigurationTest, ABucketHasADefaultEncryption) {
  EXPECT_EQ(Call("GET", "/bucket?encryption").Element("SSEAlgorithm"), "AES256");
  const std::string kms =
      "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</"
      "SSEAlgorithm>"
      "<KMSMasterKeyID>k1</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</"
      "BucketKeyEnabled>"
      "</Rule></ServerSideEncryptionConfiguration>";
  EXPECT_EQ(Call("PUT", "/bucket?encryption", kms).status, 200);
  const Answer shown = Call("GET", "/bucket?encryption");
  EXPECT_EQ(shown.Element("SSEAlgorithm") + shown.Element("KMSMasterKeyID") + shown.Element("BucketKeyEnabled"),
            "aws:kmsk1true");
  const Answer put = Call("PUT", "/bucket/k", "x");
  EXPECT_EQ(put.headers.Get("x-amz-server-side-encryption-aws-kms-key-id"), "k1");
  EXPECT_EQ(put.headers.Get("x-amz-server-side-encryption-bucket-key-enabled"), "true");
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{"x-amz-server-side-encryption", "AES256"}})
                .headers.Get("x-amz-server-side-encryption"),
            "AES256");
  EXPECT_EQ(Call("DELETE", "/bucket?encryption").status, 204);
  EXPECT_EQ(Call("GET", "/bucket?encryption").Element("SSEAlgorithm"), "AES256");
  EXPECT_EQ(Call("PUT", "/bucket?encryption", "<ServerSideEncryptionConfiguration/>").code(), "MalformedXML");
}

TEST_F(ConfigurationTest, PublicAccessIsBlockedOnceThatWasPut) {
  EXPECT_EQ(Call("GET", "/bucket?publicAccessBlock").Element("BlockPublicAcls"), "true");
  const auto block = [](bool acls, bool policy) {
    return fmt::format(
        "<PublicAccessBlockConfiguration><BlockPublicAcls>{}</BlockPublicAcls><BlockPublicPolicy>{}</BlockPublicPolicy>"
        "</PublicAccessBlockConfiguration>",
        acls, policy);
  };
  EXPECT_EQ(Call("PUT", "/bucket?publicAccessBlock", block(true, true)).status, 200);
  const Answer shown = Call("GET", "/bucket?publicAccessBlock");
  EXPECT_EQ(shown.Element("BlockPublicAcls") + shown.Element("IgnorePublicAcls"), "truefalse");
  EXPECT_EQ(Call("PUT", "/bucket?acl", "", {{"x-amz-acl", "public-read"}}).code(), "AccessDenied");
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{"x-amz-acl", "public-read"}}).code(), "AccessDenied");
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{"x-amz-acl", "private"}}).status, 200);
  EXPECT_EQ(Call("PUT", "/bucket/k?acl", "", {{"x-amz-acl", "public-read"}}).code(), "AccessDenied");
  const std::string open = R"({"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",)"
                           R"("Resource":"arn:aws:s3:::bucket/*"}]})";
  EXPECT_EQ(Call("PUT", "/bucket?policy", open).code(), "AccessDenied");
  EXPECT_EQ(Call("DELETE", "/bucket?publicAccessBlock").status, 204);
  EXPECT_EQ(Call("GET", "/bucket?publicAccessBlock").code(), "NoSuchPublicAccessBlockConfiguration");
  EXPECT_EQ(Call("PUT", "/bucket?policy", open).status, 204);
  EXPECT_EQ(Call("GET", "/bucket?policyStatus").Element("IsPublic"), "true");
}

TEST_F(ConfigurationTest, PublicAclsAndPoliciesLetNobodyInWhereTheyAreIgnored) {
  Put("/bucket/open", "x", {{"x-amz-acl", "public-read"}});
  Put("/bucket/closed", "x");
  const std::string policy = R"({"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",)"
                             R"("Resource":"arn:aws:s3:::bucket/closed"}]})";
  EXPECT_EQ(Call("PUT", "/bucket?policy", policy).status, 204);
  EXPECT_EQ(As(kBob, "GET", "/bucket/open").status, 200);
  EXPECT_EQ(As(kBob, "GET", "/bucket/closed").status, 200);
  const auto put = [&](const char* element) {
    return Call(
               "PUT", "/bucket?publicAccessBlock",
               fmt::format("<PublicAccessBlockConfiguration><{0}>true</{0}></PublicAccessBlockConfiguration>", element))
        .status;
  };
  EXPECT_EQ(put("IgnorePublicAcls"), 200);
  EXPECT_EQ(As(kBob, "GET", "/bucket/open").status, 403);
  EXPECT_EQ(As(kBob, "GET", "/bucket/closed").status, 200);
  EXPECT_EQ(put("RestrictPublicBuckets"), 200);
  EXPECT_EQ(As(kBob, "GET", "/bucket/open").status, 200);
  EXPECT_EQ(As(kBob, "GET", "/bucket/closed").status, 403);
  EXPECT_EQ(Call("GET", "/bucket/closed").status, 200);
  EXPECT_EQ(Call("DELETE", "/bucket?publicAccessBlock").status, 204);
  EXPECT_EQ(Call("PUT", "/bucket?ownershipControls",
                 "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>"
                 "</OwnershipControls>")
                .status,
            200);
  EXPECT_EQ(As(kBob, "GET", "/bucket/open").status, 403);
}

TEST_F(ConfigurationTest, OwnershipIsKept) {
  EXPECT_EQ(Call("GET", "/bucket?ownershipControls").Element("ObjectOwnership"), "BucketOwnerEnforced");
  const auto rule = [](const std::string& ownership) {
    return "<OwnershipControls><Rule><ObjectOwnership>" + ownership + "</ObjectOwnership></Rule></OwnershipControls>";
  };
  EXPECT_EQ(Call("PUT", "/bucket?ownershipControls", rule("ObjectWriter")).status, 200);
  EXPECT_EQ(Call("GET", "/bucket?ownershipControls").Element("ObjectOwnership"), "ObjectWriter");
  EXPECT_EQ(Call("PUT", "/bucket?ownershipControls", rule("BucketOwnerEnforced")).status, 200);
  EXPECT_EQ(Call("PUT", "/bucket?acl", "", {{"x-amz-acl", "public-read"}}).code(), "AccessControlListNotSupported");
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{"x-amz-acl", "bucket-owner-full-control"}}).status, 200);
  EXPECT_EQ(Call("PUT", "/bucket?ownershipControls", rule("Nobody")).code(), "MalformedXML");
  EXPECT_EQ(Call("DELETE", "/bucket?ownershipControls").status, 204);
  EXPECT_EQ(Call("GET", "/bucket?ownershipControls").code(), "OwnershipControlsNotFoundError");
  Put("/other", "", {{"x-amz-object-ownership", "BucketOwnerPreferred"}});
  EXPECT_EQ(Call("GET", "/other?ownershipControls").Element("ObjectOwnership"), "BucketOwnerPreferred");
}

}  // namespace
}  // namespace headrace::api::s3
