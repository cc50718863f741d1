#include "api/s3/testing/s3_fixture.h"
#include "aws/checksum.h"

namespace headrace::api::s3 {
namespace {

class CopyTest : public S3Test {
 protected:
  CopyTest() { MakeBucket(); }
  Answer Copy(const std::string& source, const std::string& target = "copy", Fields fields = {}) {
    fields.emplace_back("x-amz-copy-source", source);
    return Call("PUT", "/bucket/" + target, "", fields);
  }
};

TEST_F(CopyTest, SourcesAreUrlEncoded) {
  Put("/bucket/my%20file.txt", "x");
  Put("/bucket/c%2B%2B", "x");
  Put("/bucket/%25", "x");
  for (const char* source : {"bucket/my+file.txt", "bucket%2Fmy+file.txt", "/bucket/my%20file.txt", "bucket/c%2B%2B",
                             "bucket/%25", "bucket/my+file.txt?versionId=null"})
    EXPECT_EQ(Copy(source).status, 200) << source;
  EXPECT_EQ(Copy("bucket/c++").code(), "NoSuchKey");
  for (const char* source : {"bucket/%", "bucket/%2", "bucket/%zz", "%", "bucket/k?versionId=", "bucket/k?versionId=%"})
    EXPECT_EQ(Copy(source).code(), "InvalidArgument") << source;
  EXPECT_EQ(Copy("bucket/%25?versionId=1").code(), "NoSuchVersion");
  const std::string id = Call("POST", "/bucket/m?uploads").Element("UploadId");
  const auto copy_part = [&](const std::string& source) {
    return Call("PUT", "/bucket/m?partNumber=1&uploadId=" + id, "", {{"x-amz-copy-source", source}});
  };
  EXPECT_EQ(copy_part("bucket/my+file.txt").status, 200);
  EXPECT_EQ(copy_part("bucket/c++").code(), "NoSuchKey");
  EXPECT_EQ(copy_part("bucket/%").code(), "InvalidArgument");
}

TEST_F(CopyTest, OntoItselfOnlyWithAChange) {
  Put("/bucket/k", "x", {{"x-amz-meta-a", "b"}});
  const Answer refused = Copy("bucket/k", "k");
  EXPECT_EQ(refused.code(), "InvalidRequest");
  EXPECT_NE(refused.body.find("without changing the object's metadata, storage class"), std::string::npos);
  EXPECT_EQ(Copy("bucket/k", "k", {{"x-amz-tagging-directive", "REPLACE"}}).code(), "InvalidRequest");
  EXPECT_EQ(Copy("bucket/k", "k", {{"x-amz-storage-class", "STANDARD"}}).status, 200);
  EXPECT_EQ(Copy("bucket/k", "k", {{"x-amz-storage-class", "STANDARD_IA"}}).status, 200);
  EXPECT_EQ(Call("HEAD", "/bucket/k").headers.Get("x-amz-storage-class"), "STANDARD_IA");
  EXPECT_EQ(Copy("bucket/k", "k", {{"x-amz-server-side-encryption", "AES256"}}).status, 200);
  EXPECT_EQ(Copy("bucket/k", "k", {{"x-amz-website-redirect-location", "/there"}}).status, 200);
  EXPECT_EQ(Call("HEAD", "/bucket/k").headers.Get("x-amz-website-redirect-location"), "/there");
  EXPECT_EQ(Copy("bucket/k").status, 200);
  EXPECT_FALSE(Call("HEAD", "/bucket/copy").headers.Has("x-amz-website-redirect-location"));
  EXPECT_EQ(Copy("bucket/k", "k", {{"x-amz-website-redirect-location", "there"}}).code(), "InvalidRedirectLocation");
  EXPECT_EQ(Copy("bucket/k", "k", {{"x-amz-metadata-directive", "REPLACE"}}).status, 200);
  EXPECT_FALSE(Call("HEAD", "/bucket/k").headers.Has("x-amz-meta-a"));
}

TEST_F(CopyTest, AnotherChecksumIsComputed) {
  const auto sum = [](aws::ChecksumAlgorithm algorithm) {
    aws::Checksum checksum(algorithm);
    checksum.Update("hello");
    return aws::Base64(checksum.Finish());
  };
  const Answer put = Call("PUT", "/bucket/k", "hello");
  EXPECT_EQ(put.headers.Get("x-amz-checksum-crc64nvme"), sum(aws::ChecksumAlgorithm::kCrc64Nvme));
  EXPECT_EQ(put.headers.Get("x-amz-checksum-type"), "FULL_OBJECT");
  EXPECT_EQ(Copy("bucket/k").Element("ChecksumCRC64NVME"), sum(aws::ChecksumAlgorithm::kCrc64Nvme));
  const Answer copied = Copy("bucket/k", "copy", {{"x-amz-checksum-algorithm", "SHA256"}});
  EXPECT_EQ(copied.Element("ChecksumSHA256"), sum(aws::ChecksumAlgorithm::kSha256));
  EXPECT_TRUE(copied.Elements("ChecksumCRC64NVME").empty());
  EXPECT_EQ(Call("HEAD", "/bucket/copy", "", {{"x-amz-checksum-mode", "ENABLED"}}).headers.Get("x-amz-checksum-sha256"),
            sum(aws::ChecksumAlgorithm::kSha256));
  EXPECT_EQ(Copy("bucket/k", "copy", {{"x-amz-checksum-algorithm", "SHA512"}}).code(), "InvalidRequest");
}

}  // namespace
}  // namespace headrace::api::s3
