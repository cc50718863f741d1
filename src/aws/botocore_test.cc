// Requests as botocore signs them (tests/aws/make_signed_requests.py): each must verify, and none once it is changed.
#include <fstream>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "aws/auth.h"
#include "aws/digest.h"
#include "aws/inflate.h"
#include "aws/json_codec.h"
#include "aws/payload.h"
#include "aws/s3_request.h"
#include "aws/sign.h"
#include "aws/testing/await.h"
#include "base/testing/source_directory.h"

namespace headrace::aws {
namespace {

class GoldenKeys : public KeyLookup {
 public:
  explicit GoldenKeys(std::string secret = "golden/secret+key") : secret_(std::move(secret)) {}
  std::optional<SigningKey> Find(std::string_view id) const override {
    return SigningKey{secret_,
                      id.starts_with("ASIA") ? "token/with+signs==" : "",
                      0,
                      {"111111111111", "golden", std::string(id), "arn"}};
  }

 private:
  std::string secret_;
};

struct Golden {
  std::string name;
  http::Request request;
  std::string body;
};

std::vector<Golden> Load() {
  std::ifstream file(InSourceDirectory("src/aws/testdata/botocore_requests.json"));
  std::vector<Golden> all;
  for (const auto& entry : nlohmann::json::parse(file)) {
    Golden golden{entry["name"], {}, *DecodeBase64(entry["body"].get<std::string>())};
    golden.request.method = entry["method"];
    golden.request.path = entry["path"];
    golden.request.query = entry["query"];
    for (const auto& field : entry["headers"]) golden.request.headers.Add(field[0], field[1]);
    golden.request.content_length = golden.body.size();
    all.push_back(std::move(golden));
  }
  return all;
}

UnixMillis TimeOf(const SignatureClaim& claim) {
  return claim.kind == SignatureClaim::Kind::kPresignedV2 ? claim.time - 1000 : claim.time;
}

// "" when the request verifies, else the code of what is wrong.
std::string Verify(const http::Request& request, const std::string& body, const GoldenKeys& keys = GoldenKeys()) {
  const auto claim = ParseClaim(request);
  if (!claim) return claim.error().message;
  if (claim->service == "s3") {
    const auto access = CheckS3Access(request, keys, TimeOf(*claim));
    if (!access) return access.error().code;
    TextBody raw(body, 777);
    const auto payload = PayloadReader::Make(request, raw, access->chunks);
    if (!payload) return payload.error().code;
    const auto object = Await(http::ReadAll(**payload, 1 << 20));
    return object ? "" : (*payload)->failure()->code;
  }
  const auto key = CheckClaim(*claim, request, keys, TimeOf(*claim));
  if (!key) return key.error().message;
  const auto signature = CheckSignature(*claim, request, *key, PayloadHash(body));
  return signature ? "" : "SignatureDoesNotMatch";
}

TEST(BotocoreTest, EveryRequestVerifies) {
  const auto all = Load();
  EXPECT_GE(all.size(), 38U);
  for (const Golden& golden : all) EXPECT_EQ(Verify(golden.request, golden.body), "") << golden.name;
}

TEST(BotocoreTest, NoChangedRequestVerifies) {
  for (const Golden& golden : Load()) {
    EXPECT_EQ(Verify(golden.request, golden.body, GoldenKeys("another")), "SignatureDoesNotMatch") << golden.name;
    http::Request other = golden.request;
    other.method = "PATCH";
    EXPECT_EQ(Verify(other, golden.body), "SignatureDoesNotMatch") << golden.name;
    other = golden.request;
    other.path += "x";
    EXPECT_EQ(Verify(other, golden.body), "SignatureDoesNotMatch") << golden.name;
    if (golden.body.empty()) continue;
    std::string body = golden.body;
    body[body.size() / 2] ^= 1;
    EXPECT_NE(Verify(golden.request, body), "") << golden.name;
  }
}

TEST(BotocoreTest, GzipBodiesAreJson) {
  for (const Golden& golden : Load()) {
    if (golden.name != "cloudwatch gzip") continue;
    ASSERT_EQ(golden.request.headers.Get("content-encoding"), "gzip");
    const auto text = GunzipBody(golden.body, 1 << 20);
    ASSERT_TRUE(text);
    EXPECT_EQ((*DecodeJson(*text))["MetricData"].size(), 100U);
  }
}

}  // namespace
}  // namespace headrace::aws
