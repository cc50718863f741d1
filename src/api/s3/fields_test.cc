// What goes out in header fields and documents, whatever came in.
#include "api/s3/testing/s3_fixture.h"
#include "aws/header_text.h"

namespace headrace::api::s3 {
namespace {

class FieldsTest : public S3Test {
 protected:
  FieldsTest() { MakeBucket(); }
  static void ExpectAscii(const Answer& answer) {
    for (const auto& field : answer.headers.fields()) EXPECT_TRUE(aws::IsHeaderText(field.value)) << field.name;
  }
};

TEST_F(FieldsTest, TextBeyondAsciiGoesOutEncoded) {
  const std::string zurich = "Z\xC3\xBCrich", encoded = "=?UTF-8?B?WsO8cmljaA==?=";
  Put("/bucket/k", "x",
      {{"x-amz-meta-city", zurich},
       {"x-amz-meta-latin", "Z\xFCrich"},
       {"x-amz-meta-plain", "plain ascii"},
       {"x-amz-meta-encoded", encoded},
       {"Content-Disposition", "attachment; filename=" + zurich},
       {"Cache-Control", zurich},
       {"x-amz-website-redirect-location", "/" + zurich}});
  for (const char* method : {"GET", "HEAD"}) {
    const Answer answer = Call(method, "/bucket/k");
    ExpectAscii(answer);
    EXPECT_EQ(answer.headers.Get("x-amz-meta-city"), encoded);
    EXPECT_EQ(answer.headers.Get("x-amz-meta-latin"), encoded);
    EXPECT_EQ(answer.headers.Get("x-amz-meta-plain"), "plain ascii");
    EXPECT_EQ(answer.headers.Get("x-amz-meta-encoded"), encoded);
    EXPECT_EQ(answer.headers.Get("Cache-Control"), encoded);
  }
  Put("/bucket/copy", "", {{"x-amz-copy-source", "bucket/k"}});
  EXPECT_EQ(Call("HEAD", "/bucket/copy").headers.Get("x-amz-meta-city"), encoded);
}

TEST_F(FieldsTest, OverridesAreWhatAFieldCanCarry) {
  Put("/bucket/k", "x");
  const Answer latin = Call("GET", "/bucket/k?response-content-disposition=Z%C3%BCrich");
  EXPECT_EQ(latin.status, 200);
  ExpectAscii(latin);
  for (const char* value : {"%E6%9D%B1", "a%0D%0AX-Evil%3A%201", "%00"})
    EXPECT_EQ(Call("GET", std::string("/bucket/k?response-content-disposition=") + value).code(), "InvalidArgument")
        << value;
}

TEST_F(FieldsTest, NothingThatWouldSplitAResponseIsKept) {
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{"x-amz-meta-a", "b\r\nX-Evil: 1"}}).code(), "InvalidArgument");
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{"x-amz-meta-a\r\nX-Evil: 1", "b"}}).code(), "InvalidArgument");
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{"Content-Type", "a/b\r\nX-Evil: 1"}}).code(), "InvalidArgument");
}

TEST_F(FieldsTest, KeysWithControlCharactersAreListed) {
  Put("/bucket/a%01b%0A", "x");
  const Answer plain = Call("GET", "/bucket?list-type=2");
  EXPECT_EQ(plain.Element("Key"), "a&#x1;b\n");
  EXPECT_EQ(Call("GET", "/bucket?list-type=2&encoding-type=url").Element("Key"), "a%01b%0A");
  EXPECT_EQ(Call("GET", "/bucket?versions").Element("Key"), "a&#x1;b\n");
  EXPECT_EQ(Call("GET", "/bucket?encoding-type=x").code(), "InvalidArgument");
  EXPECT_EQ(Call("GET", "/bucket?uploads&encoding-type=x").code(), "InvalidArgument");
  const std::string document = "<Delete><Object><Key>a&#x1;b&#xA;</Key></Object></Delete>";
  const Answer gone = Call("POST", "/bucket?delete", document, {{"Content-MD5", aws::Base64(aws::Md5(document))}});
  EXPECT_EQ(gone.Element("Key"),
            "a\xEF\xBF\xBD"
            "b\n")
      << gone.body;  // what boto3 can read
  EXPECT_TRUE(Call("GET", "/bucket").Elements("Key").empty());
}

TEST_F(FieldsTest, TagsOfAwsAreItsOwn) {
  const std::string tags = "<Tagging><TagSet><Tag><Key>AWS:x</Key><Value>v</Value></Tag></TagSet></Tagging>";
  Put("/bucket/k", "x");
  EXPECT_EQ(Call("PUT", "/bucket?tagging", tags).code(), "InvalidTag");
  EXPECT_EQ(Call("PUT", "/bucket/k?tagging", tags).code(), "InvalidTag");
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{"x-amz-tagging", "aws:x=1"}}).code(), "InvalidTag");
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{"x-amz-tagging", "awsome=1"}}).status, 200);
}

}  // namespace
}  // namespace headrace::api::s3
