#include "store/access/policy.h"

#include <gtest/gtest.h>

namespace headrace::store {
namespace {

const Caller kAlice{"111111111111", "alice", "arn:aws:sts::111111111111:assumed-role/alice/session"};
const Caller kBob{"222222222222", "bob", "arn:aws:sts::222222222222:assumed-role/bob/session"};

std::string Statement(const std::string& principal, const std::string& action, const std::string& resource,
                      const std::string& effect = "Allow") {
  return fmt::format(R"({{"Effect":"{}","Principal":{},"Action":{},"Resource":{}}})", effect, principal, action,
                     resource);
}

std::string Document(const std::string& statements) {
  return fmt::format(R"({{"Version":"2012-10-17","Statement":[{}]}})", statements);
}

const std::string kAnyObject = R"("arn:aws:s3:::bucket/*")";

Verdict Judge(const std::string& statements, const Caller& caller, std::string_view action, std::string_view resource) {
  const auto policy = Policy::Parse(Document(statements), "bucket");
  EXPECT_TRUE(policy) << policy.error().message();
  return policy ? policy->Judge(caller, action, resource) : Verdict::kDeny;
}

std::string Refused(const std::string& document) {
  const auto policy = Policy::Parse(document, "bucket");
  if (policy) return "accepted";
  return policy.error().code() == ErrorCode::kFailedPrecondition ? "beyond us: " + policy.error().message()
                                                                 : "malformed";
}

TEST(PolicyTest, AllowsWhatItNames) {
  const std::string read = Statement(R"("*")", R"("s3:GetObject")", kAnyObject);
  EXPECT_EQ(Judge(read, kBob, "s3:GetObject", "arn:aws:s3:::bucket/k"), Verdict::kAllow);
  EXPECT_EQ(Judge(read, kBob, "s3:PutObject", "arn:aws:s3:::bucket/k"), Verdict::kNone);
  EXPECT_EQ(Judge(read, kBob, "s3:GetObject", "arn:aws:s3:::bucket"), Verdict::kNone);
}

TEST(PolicyTest, KnowsPrincipalsByAccountUserRoleAndSession) {
  for (const char* principal :
       {R"({"AWS":"222222222222"})", R"({"AWS":["arn:aws:iam::222222222222:root"]})",
        R"({"AWS":"arn:aws:iam::222222222222:user/bob"})", R"({"AWS":"arn:aws:iam::222222222222:role/path/bob"})",
        R"({"AWS":"arn:aws:sts::222222222222:assumed-role/bob/session"})", R"({"AWS":"*"})"}) {
    const std::string all = Statement(principal, R"("s3:*")", kAnyObject);
    EXPECT_EQ(Judge(all, kBob, "s3:GetObject", "arn:aws:s3:::bucket/k"), Verdict::kAllow) << principal;
  }
  const std::string bobs = Statement(R"({"AWS":"222222222222"})", R"("s3:*")", kAnyObject);
  EXPECT_EQ(Judge(bobs, kAlice, "s3:GetObject", "arn:aws:s3:::bucket/k"), Verdict::kNone);
}

TEST(PolicyTest, DenyBeatsAllow) {
  const std::string both = Statement(R"("*")", R"("s3:*")", kAnyObject) + "," +
                           Statement(R"("*")", R"(["s3:DeleteObject"])", R"("arn:aws:s3:::bucket/keep/*")", "Deny");
  EXPECT_EQ(Judge(both, kBob, "s3:DeleteObject", "arn:aws:s3:::bucket/keep/k"), Verdict::kDeny);
  EXPECT_EQ(Judge(both, kBob, "s3:DeleteObject", "arn:aws:s3:::bucket/k"), Verdict::kAllow);
}

TEST(PolicyTest, ActionsMatchWithoutCaseAndWithWildcards) {
  const std::string gets = Statement(R"("*")", R"("S3:get*")", kAnyObject);
  EXPECT_EQ(Judge(gets, kBob, "s3:GetObjectTagging", "arn:aws:s3:::bucket/k"), Verdict::kAllow);
  EXPECT_EQ(Judge(gets, kBob, "s3:PutObject", "arn:aws:s3:::bucket/k"), Verdict::kNone);
}

TEST(PolicyTest, RefusesWhatItCannotHonour) {
  const std::string conditional =
      R"({"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bucket/*","Condition":{}})";
  EXPECT_EQ(Refused(Document(conditional)), "beyond us: Policy Condition");
  EXPECT_EQ(Refused(Document(R"({"Effect":"Allow","NotPrincipal":"*","Action":"s3:*","Resource":"x"})")),
            "beyond us: Policy NotPrincipal");
  EXPECT_EQ(Refused(Document(Statement(R"({"Service":"x"})", R"("s3:*")", kAnyObject))),
            "beyond us: Policy principal Service");
}

TEST(PolicyTest, RefusesNonsense) {
  for (const std::string& document :
       {std::string(""), std::string("[]"), std::string("{"), std::string("{}"), Document("1"), Document(""),
        Document(Statement(R"("bob")", R"("s3:*")", kAnyObject)),
        Document(Statement(R"({"AWS":"bob"})", R"("s3:*")", kAnyObject)),
        Document(Statement(R"("*")", R"("ec2:*")", kAnyObject)), Document(Statement(R"("*")", R"(1)", kAnyObject)),
        Document(Statement(R"("*")", R"("s3:*")", R"("arn:aws:s3:::other/*")")),
        Document(Statement(R"("*")", R"("s3:*")", kAnyObject, "Perhaps")), std::string(30'000, ' ')})
    EXPECT_EQ(Refused(document), "malformed") << document.substr(0, 200);
}

TEST(MatchesPatternTest, KnowsStarsAndQuestionMarks) {
  EXPECT_TRUE(MatchesPattern("a*c", "abbc"));
  EXPECT_TRUE(MatchesPattern("*", ""));
  EXPECT_TRUE(MatchesPattern("a?c*", "abcd"));
  EXPECT_TRUE(MatchesPattern("a*b*c", "axbxbxc"));
  EXPECT_FALSE(MatchesPattern("a*c", "abbd"));
  EXPECT_FALSE(MatchesPattern("a?", "a"));
  EXPECT_FALSE(MatchesPattern("", "a"));
  EXPECT_FALSE(MatchesPattern(std::string(2000, '*') + "b", std::string(20'000, 'a')));
}

}  // namespace
}  // namespace headrace::store
