#include "aws/payload.h"

#include <string>

#include <gtest/gtest.h>

#include "aws/canonical.h"
#include "aws/digest.h"
#include "aws/sign.h"
#include "aws/testing/await.h"

namespace headrace::aws {
namespace {

struct Outcome {
  std::string object;
  std::optional<ServiceError> failure;
  bool broken = false;  // an error that is not the request's
  std::string md5;
  std::optional<ChecksumValue> checksum;
};

Outcome ReadWith(const http::Request& request, const std::string& body, size_t step,
                 std::optional<ChunkSigning> signing = std::nullopt) {
  Outcome outcome;
  TextBody raw(body, step);
  auto reader = PayloadReader::Make(request, raw, std::move(signing));
  if (!reader) return {{}, reader.error(), false, {}, {}};
  std::string buffer(100, '\0');
  while (true) {
    const auto count = Await((*reader)->Read(buffer));
    if (!count) {
      outcome.failure = (*reader)->failure();
      outcome.broken = !outcome.failure;
      return outcome;
    }
    if (*count == 0) break;
    outcome.object.append(buffer, 0, *count);
  }
  outcome.md5 = Hex((*reader)->md5());
  outcome.checksum = (*reader)->checksum();
  return outcome;
}

// With several ways of cutting the body into reads, which must not matter.
Outcome ReadAllWays(const http::Request& request, const std::string& body,
                    const std::optional<ChunkSigning>& signing = std::nullopt) {
  const Outcome whole = ReadWith(request, body, 1 << 20, signing);
  for (const size_t step : {1, 2, 3, 7, 64}) {
    const Outcome cut = ReadWith(request, body, step, signing);
    EXPECT_EQ(cut.failure.has_value() ? cut.failure->code : "", whole.failure.has_value() ? whole.failure->code : "");
    if (!whole.failure) {
      EXPECT_EQ(cut.object, whole.object);
    }
  }
  return whole;
}

http::Request Put(std::vector<std::pair<std::string, std::string>> headers) {
  http::Request request;
  request.method = "PUT";
  request.path = "/b/k";
  for (auto& [name, value] : headers) request.headers.Add(name, value);
  return request;
}

http::Request TrailerPut(const std::string& size) {
  return Put({{"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
              {"x-amz-decoded-content-length", size},
              {"x-amz-trailer", "x-amz-checksum-crc32"}});
}

std::string CodeOf(const Outcome& outcome) { return outcome.failure ? outcome.failure->code : std::string(); }

TEST(PayloadTest, PlainBodyIsHashedAndChecked) {
  const auto good = ReadAllWays(Put({{"x-amz-content-sha256", PayloadHash("123456789")},
                                     {"Content-MD5", Base64(Md5("123456789"))},
                                     {"x-amz-checksum-crc32", "y/Q5Jg=="}}),
                                "123456789");
  EXPECT_EQ(good.object, "123456789");
  EXPECT_EQ(good.md5, "25f9e794323b453885f5181f1b624d0b");
  EXPECT_EQ(good.checksum, (ChecksumValue{ChecksumAlgorithm::kCrc32, "y/Q5Jg=="}));
  EXPECT_EQ(CodeOf(ReadAllWays(Put({{"x-amz-content-sha256", PayloadHash("other")}}), "123456789")),
            "XAmzContentSHA256Mismatch");
  EXPECT_EQ(CodeOf(ReadAllWays(Put({{"Content-MD5", Base64(Md5("other"))}}), "123456789")), "BadDigest");
  EXPECT_EQ(CodeOf(ReadAllWays(Put({{"x-amz-checksum-crc64nvme", "rosUhgp5mIg="}}), "12345678")), "BadDigest");
}

TEST(PayloadTest, RefusesHeadersThatSayNothingUseful) {
  EXPECT_EQ(CodeOf(ReadAllWays(Put({{"Content-MD5", "abc"}}), "")), "InvalidDigest");
  EXPECT_EQ(CodeOf(ReadAllWays(Put({{"x-amz-checksum-crc32", "AAAA"}}), "")), "InvalidRequest");
  EXPECT_EQ(CodeOf(ReadAllWays(Put({{"x-amz-checksum-crc32", "y/Q5Jg=="}, {"x-amz-checksum-sha1", "x"}}), "")),
            "InvalidRequest");
  EXPECT_EQ(CodeOf(ReadAllWays(Put({{"x-amz-content-sha256", "nonsense"}}), "")), "InvalidArgument");
  EXPECT_EQ(CodeOf(ReadAllWays(Put({{"x-amz-sdk-checksum-algorithm", "CRC32"}}), "")), "InvalidRequest");
  EXPECT_EQ(CodeOf(ReadAllWays(Put({{"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}}), "")),
            "MissingContentLength");
}

TEST(PayloadTest, ChecksumOfACompletedUploadIsNotItsXmls) {
  http::Request request = Put({{"x-amz-checksum-crc32", "y/Q5Jg=="}});
  request.method = "POST";
  request.query = "uploadId=u";
  EXPECT_EQ(ReadAllWays(request, "<xml/>").object, "<xml/>");
}

TEST(PayloadTest, UndoesChunksWithATrailer) {
  const auto good =
      ReadAllWays(TrailerPut("9"), "4\r\n1234\r\n5\r\n56789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n");
  EXPECT_EQ(good.object, "123456789");
  EXPECT_EQ(good.checksum, (ChecksumValue{ChecksumAlgorithm::kCrc32, "y/Q5Jg=="}));
  const auto empty = ReadAllWays(TrailerPut("0"), "0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n");
  EXPECT_EQ(CodeOf(empty), "");
}

TEST(PayloadTest, RefusesBadChunks) {
  const std::string end = "0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n";
  const auto code = [](const std::string& body) { return CodeOf(ReadAllWays(TrailerPut("9"), body)); };
  EXPECT_EQ(code("9\r\n123456780\r\n" + end), "BadDigest");
  EXPECT_EQ(code("8\r\n12345678\r\n" + end), "IncompleteBody");
  EXPECT_EQ(code("a\r\n1234567890\r\n" + end), "IncompleteBody");
  EXPECT_EQ(code("9\r\n123456789"), "IncompleteBody");
  EXPECT_EQ(code("9\r\n123456789\r\n"), "IncompleteBody");
  EXPECT_EQ(code("9\r\n1234"), "IncompleteBody");
  EXPECT_EQ(code(""), "IncompleteBody");
  EXPECT_EQ(code("9\r\n1234567890\r\n" + end), "InvalidRequest");
  EXPECT_EQ(code("x\r\n123456789\r\n" + end), "InvalidRequest");
  EXPECT_EQ(code("-9\r\n123456789\r\n" + end), "InvalidRequest");
  EXPECT_EQ(code("ffffffffffffffffff\r\n"), "InvalidRequest");
  EXPECT_EQ(code("9\n123456789\n" + end), "InvalidRequest");
  EXPECT_EQ(code(std::string(2000, '0')), "InvalidRequest");
  EXPECT_EQ(code("9\r\n123456789\r\n" + end + "more"), "InvalidRequest");
  EXPECT_EQ(code("9\r\n123456789\r\n0\r\n\r\n"), "MalformedTrailerError");
  EXPECT_EQ(code("9\r\n123456789\r\n0\r\nx-amz-meta-evil:1\r\n\r\n"), "MalformedTrailerError");
}

// "Example Calculations" of the S3 reference for signed chunks: 66560 times 'a' in chunks of 64 KiB.
struct SignedExample {
  http::Request request =
      Put({{"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}, {"x-amz-decoded-content-length", "66560"}});
  ChunkSigning signing{DeriveSigningKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1", "s3"),
                       "20130524T000000Z", "20130524/us-east-1/s3/aws4_request",
                       "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"};
  std::string body = "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" +
                     std::string(65536, 'a') +
                     "\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" +
                     std::string(1024, 'a') +
                     "\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";
};

TEST(PayloadTest, VerifiesThePublishedSignedChunks) {
  const SignedExample example;
  const auto good = ReadWith(example.request, example.body, 1 << 20, example.signing);
  EXPECT_EQ(CodeOf(good), "");
  EXPECT_EQ(good.object, std::string(66560, 'a'));
}

TEST(PayloadTest, RefusesForgedChunks) {
  SignedExample example;
  example.body[100] = 'b';
  const auto forged = ReadWith(example.request, example.body, 1 << 20, example.signing);
  EXPECT_EQ(CodeOf(forged), "SignatureDoesNotMatch");
  const SignedExample cut;
  const size_t last = cut.body.rfind("0;chunk");
  EXPECT_EQ(CodeOf(ReadWith(cut.request, cut.body.substr(0, last), 1 << 20, cut.signing)), "IncompleteBody");
  EXPECT_EQ(CodeOf(ReadWith(cut.request, cut.body, 1 << 20)), "InvalidRequest");
}

TEST(PayloadTest, VerifiesThePublishedSignedTrailer) {
  SignedExample example;
  example.request = Put({{"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"},
                         {"x-amz-decoded-content-length", "66560"},
                         {"x-amz-trailer", "x-amz-checksum-crc32c"}});
  example.signing.seed_signature = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
  const std::string trailer = "x-amz-checksum-crc32c:sOO8/Q==\r\n";
  example.body = "10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n" +
                 std::string(65536, 'a') +
                 "\r\n400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n" +
                 std::string(1024, 'a') +
                 "\r\n0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n" +
                 trailer +
                 "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
  const auto good = ReadWith(example.request, example.body, 1 << 20, example.signing);
  EXPECT_EQ(CodeOf(good), "") << good.failure->message;
  EXPECT_EQ(good.checksum, (ChecksumValue{ChecksumAlgorithm::kCrc32c, "sOO8/Q=="}));
  example.body[example.body.size() - 10] ^= 1;
  EXPECT_EQ(CodeOf(ReadWith(example.request, example.body, 1 << 20, example.signing)), "SignatureDoesNotMatch");
}

TEST(PayloadTest, ComputesWhatIsAskedFor) {
  http::Request request = Put({});
  TextBody raw("123456789");
  auto reader = PayloadReader::Make(request, raw, std::nullopt);
  ASSERT_TRUE(reader);
  (*reader)->Compute(ChecksumAlgorithm::kCrc64Nvme);
  std::string buffer(64, '\0');
  EXPECT_EQ(*Await((*reader)->Read(buffer)), 9U);
  EXPECT_EQ(*Await((*reader)->Read(buffer)), 0U);
  EXPECT_EQ((*reader)->checksum(ChecksumAlgorithm::kCrc64Nvme)->base64, "rosUhgp5mIg=");
  EXPECT_EQ((*reader)->checksum(ChecksumAlgorithm::kSha1), std::nullopt);
}

}  // namespace
}  // namespace headrace::aws
