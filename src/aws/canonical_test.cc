// The examples that AWS has published for Signature Version 4.
#include "aws/canonical.h"

#include <gtest/gtest.h>

#include "aws/digest.h"
#include "aws/sign.h"

namespace headrace::aws {
namespace {

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(CanonicalTest, DerivesTheKeyOfTheGeneralReference) {
  EXPECT_EQ(Hex(DeriveSigningKey("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20120215", "us-east-1", "iam")),
            "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d");
}

// "Example: GET request" of the general reference: IAM ListUsers.
TEST(CanonicalTest, SignsTheIamListUsersExample) {
  http::Headers headers;
  headers.Add("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  headers.Add("Host", "iam.amazonaws.com");
  headers.Add("X-Amz-Date", "20150830T123600Z");
  const std::string canonical =
      CanonicalRequest("GET", CanonicalPath("/", false), CanonicalQuery("Version=2010-05-08&Action=ListUsers"), headers,
                       {"content-type", "host", "x-amz-date"}, kEmpty);
  EXPECT_EQ(Hex(Sha256(canonical)), "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59");
  const std::string key = DeriveSigningKey("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830", "us-east-1", "iam");
  EXPECT_EQ(Hex(HmacSha256(key, StringToSign("20150830T123600Z", "20150830/us-east-1/iam/aws4_request", canonical))),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

// "GET Object" of the S3 reference.
TEST(CanonicalTest, SignsTheS3GetObjectExample) {
  http::Headers headers;
  headers.Add("Host", "examplebucket.s3.amazonaws.com");
  headers.Add("Range", "bytes=0-9");
  headers.Add("x-amz-content-sha256", std::string(kEmpty));
  headers.Add("x-amz-date", "20130524T000000Z");
  const std::string canonical = CanonicalRequest("GET", CanonicalPath("/test.txt", true), CanonicalQuery(""), headers,
                                                 {"host", "range", "x-amz-content-sha256", "x-amz-date"}, kEmpty);
  EXPECT_EQ(Hex(Sha256(canonical)), "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972");
  const std::string key = DeriveSigningKey(kSecret, "20130524", "us-east-1", "s3");
  EXPECT_EQ(Hex(HmacSha256(key, StringToSign("20130524T000000Z", "20130524/us-east-1/s3/aws4_request", canonical))),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

// "GET Bucket Lifecycle" and "Get Bucket (List Objects)": empty values and several parameters.
TEST(CanonicalTest, SignsTheS3QueryExamples) {
  http::Headers headers;
  headers.Add("Host", "examplebucket.s3.amazonaws.com");
  headers.Add("x-amz-content-sha256", std::string(kEmpty));
  headers.Add("x-amz-date", "20130524T000000Z");
  const SignedHeaders names = {"host", "x-amz-content-sha256", "x-amz-date"};
  const std::string key = DeriveSigningKey(kSecret, "20130524", "us-east-1", "s3");
  const auto signature = [&](std::string_view query) {
    return Hex(
        HmacSha256(key, StringToSign("20130524T000000Z", "20130524/us-east-1/s3/aws4_request",
                                     CanonicalRequest("GET", "/", CanonicalQuery(query), headers, names, kEmpty))));
  };
  EXPECT_EQ(signature("lifecycle"), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(signature("max-keys=2&prefix=J"), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

// "Authenticating Requests: Using Query Parameters".
TEST(CanonicalTest, PresignsTheS3Example) {
  const std::string query =
      Presign("GET", "examplebucket.s3.amazonaws.com", "/test.txt", "",
              {"AKIAIOSFODNN7EXAMPLE", std::string(kSecret), ""}, {"us-east-1", "s3"}, 1369353600000, 86400);
  EXPECT_EQ(query,
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F"
            "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(CanonicalTest, PathsOfS3StayAndOthersAreNormalised) {
  EXPECT_EQ(CanonicalPath("/a//b/../c%20d", true), "/a//b/../c%20d");
  EXPECT_EQ(CanonicalPath("/k=v,w:x", true), "/k%3Dv%2Cw%3Ax");
  EXPECT_EQ(CanonicalPath("/a//b/../c%20d/", false), "/a/c%2520d/");
  EXPECT_EQ(CanonicalPath("/../..", false), "/");
  EXPECT_EQ(CanonicalPath("", false), "/");
}

TEST(CanonicalTest, HeadersOfOneNameAreJoinedAndBlanksCollapsed) {
  http::Headers headers;
  headers.Add("My-Header", "  a   b  ");
  headers.Add("my-header", "c");
  EXPECT_EQ(CanonicalHeaders(headers, {"absent", "my-header"}), "absent:\nmy-header:a b,c\n");
}

}  // namespace
}  // namespace headrace::aws
