#include "api/s3/post_policy.h"

#include <gtest/gtest.h>

namespace headrace::api::s3 {
namespace {

constexpr UnixMillis kNow = 1'700'000'000'000;  // 2023-11-14

std::string Policy(const std::string& conditions) {
  return R"({"expiration":"2024-01-01T00:00:00Z","conditions":[)" + conditions + "]}";
}

std::string Judged(const std::string& policy, const FormFields& fields, UnixMillis now = kNow) {
  const auto range = CheckPostPolicy(policy, fields, now);
  return range ? "good" : range.error().message;
}

TEST(PostPolicy, FieldsMustMeetConditions) {
  const std::string policy = Policy(R"({"bucket":"b"},["starts-with","$key","user/"],{"ACL":"private"})");
  const FormFields good = {{"key", "user/x"}, {"acl", "private"}, {"bucket", "b"}, {"policy", "p"}, {"x-ignore-a", ""}};
  EXPECT_EQ(Judged(policy, good), "good");
  const auto with = [&](size_t at, const std::string& value) {
    FormFields fields = good;
    fields[at].second = value;
    return Judged(policy, fields);
  };
  EXPECT_EQ(with(0, "other"),
            "Invalid according to Policy: Policy Condition failed: [\"starts-with\",\"$key\",\"user/\"]");
  EXPECT_EQ(with(1, "public-read"),
            "Invalid according to Policy: Policy Condition failed: [\"eq\",\"$ACL\",\"private\"]");
  EXPECT_EQ(with(2, "c"), "Invalid according to Policy: Policy Condition failed: [\"eq\",\"$bucket\",\"b\"]");
  FormFields more = good;
  more.emplace_back("x-amz-meta-a", "b");
  EXPECT_EQ(Judged(policy, more), "Invalid according to Policy: Extra input fields: x-amz-meta-a");
  more.back() = {"key", "elsewhere"};
  EXPECT_EQ(Judged(policy, more), "Invalid according to Policy: Extra input fields: key stands there twice");
  EXPECT_NE(Judged(policy, {{"key", "user/x"}, {"bucket", "b"}}), "good");  // acl is missing
}

TEST(PostPolicy, TypesAreAList) {
  const std::string policy = Policy(R"(["starts-with","$Content-Type","image/"])");
  EXPECT_EQ(Judged(policy, {{"content-type", "image/png,image/gif"}}), "good");
  EXPECT_NE(Judged(policy, {{"content-type", "image/png,text/html"}}), "good");
  EXPECT_EQ(Judged(Policy(R"(["starts-with","$Content-Type",""])"), {}), "good");
}

TEST(PostPolicy, Ends) {
  EXPECT_EQ(Judged(Policy(""), {}, 1'704'067'199'999), "good");
  EXPECT_EQ(Judged(Policy(""), {}, 1'704'067'200'000), "Invalid according to Policy: Policy expired.");
}

TEST(PostPolicy, BoundsSizes) {
  const auto range = CheckPostPolicy(Policy(R"(["content-length-range",1,"10"])"), {}, kNow);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->least, 1U);
  EXPECT_EQ(range->most, 10U);
}

TEST(PostPolicy, RefusesWhatIsNone) {
  for (const std::string& policy :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"expiration":1})"),
        std::string(R"({"expiration":"x","conditions":[]})"), std::string(R"({"expiration":"2024-01-01T00:00:00Z"})"),
        Policy("1"), Policy(R"(["eq","$a"])"), Policy(R"(["like","$a","b"])"), Policy(R"(["eq","a","b"])"),
        Policy(R"({"a":1})"), Policy(R"(["content-length-range",-1,5])"), std::string(100'000, '[')}) {
    const auto judged = CheckPostPolicy(policy, {}, kNow);
    ASSERT_FALSE(judged) << policy.substr(0, 80);
    EXPECT_EQ(judged.error().code, "InvalidPolicyDocument") << policy.substr(0, 80);
  }
}

}  // namespace
}  // namespace headrace::api::s3
