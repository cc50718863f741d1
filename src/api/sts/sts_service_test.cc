#include "api/sts/sts_service.h"

#include <gmock/gmock.h>

#include "api/iam/execution_role.h"
#include "api/iam/iam_service.h"
#include "base/testing/temporary_directory.h"

namespace headrace::api {
namespace {

using aws::Json;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kTrust = R"({"Version":"2012-10-17","Statement":[]})";

class StsAndIam : public testing::Test {
 protected:
  StsAndIam() {
    const auto key = principals_.Create("alice").value();
    call_.caller = {key.account_id, "alice", key.access_key_id, CallerArn(key.account_id, "alice")};
    call_.now = clock_.Now();
  }
  aws::Reply<Json> Sts(const std::string& name, const Json& input = Json::object()) {
    return sts_.operations.at(name)(call_, input);
  }
  aws::Reply<Json> Iam(const std::string& name, const Json& input = Json::object()) {
    return iam_.operations.at(name)(call_, input);
  }
  static std::string CodeOf(const aws::Reply<Json>& reply) { return reply ? "" : reply.error().code; }

  const TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_ = store::Database::Open(directory_ / "meta.db").value();
  ManualClock clock_{1767323045000};
  store::Principals principals_{*database_, clock_};
  aws::Service sts_ = StsService({*database_, principals_});
  aws::Service iam_ = IamService(*database_);
  aws::Call call_;
};

TEST_F(StsAndIam, CallerLooksLikeASessionOfTheExecutionRole) {
  const Json reply = Sts("GetCallerIdentity").value();
  EXPECT_EQ(reply["Account"], call_.caller.account_id);
  EXPECT_THAT(reply["Arn"], HasSubstr(":assumed-role/AmazonSageMaker-ExecutionRole-headrace/alice"));
  // What SDK 1 does: the role's name from the ARN, then GetRole.
  const Json role = Iam("GetRole", {{"RoleName", "AmazonSageMaker-ExecutionRole-headrace"}}).value()["Role"];
  EXPECT_EQ(role["Arn"], ExecutionRoleArn(call_.caller.account_id));
}

TEST_F(StsAndIam, AssumedRolesAreKeysOfTheSamePrincipal) {
  const Json reply =
      Sts("AssumeRole", {{"RoleArn", ExecutionRoleArn(call_.caller.account_id)}, {"RoleSessionName", "job-1"}}).value();
  const Json& credentials = reply["Credentials"];
  EXPECT_EQ(credentials["Expiration"], (clock_.Now() + 3600 * 1000) / 1000);
  const auto key = principals_.FindKey(credentials["AccessKeyId"].get<std::string>());
  ASSERT_TRUE(key);
  EXPECT_EQ(key->principal, "alice");
  EXPECT_EQ(key->session_token, credentials["SessionToken"]);
  EXPECT_EQ(key->session_arn, reply["AssumedRoleUser"]["Arn"]);
  EXPECT_THAT(key->session_arn, HasSubstr("/AmazonSageMaker-ExecutionRole-headrace/job-1"));
}

TEST_F(StsAndIam, OnlyRolesOfTheOwnAccountAreAssumed) {
  const auto code = [&](const std::string& arn, const std::string& session = "s1", const std::string& seconds = "900") {
    return CodeOf(Sts("AssumeRole", {{"RoleArn", arn}, {"RoleSessionName", session}, {"DurationSeconds", seconds}}));
  };
  const std::string own = ExecutionRoleArn(call_.caller.account_id);
  EXPECT_EQ(code(own), "");
  EXPECT_EQ(code(ExecutionRoleArn("999999999999")), "AccessDenied");
  EXPECT_EQ(code("arn:aws:iam::" + call_.caller.account_id + ":role/Nobody"), "AccessDenied");
  EXPECT_EQ(code("role"), "ValidationError");
  EXPECT_EQ(code(own, "a b"), "ValidationError");
  EXPECT_EQ(code(own, "s1", "899"), "ValidationError");
  EXPECT_EQ(code(own, "s1", "1e3"), "ValidationError");
}

TEST_F(StsAndIam, SessionTokensKeepTheCaller) {
  const Json credentials = Sts("GetSessionToken").value()["Credentials"];
  EXPECT_EQ(principals_.FindKey(credentials["AccessKeyId"].get<std::string>())->session_arn, call_.caller.arn);
  call_.caller.access_key_id = credentials["AccessKeyId"];
  EXPECT_EQ(CodeOf(Sts("GetSessionToken")), "AccessDenied");
}

TEST_F(StsAndIam, RolesAreMadeListedAndDeleted) {
  const Json made = Iam("CreateRole", {{"RoleName", "Mine"}, {"AssumeRolePolicyDocument", kTrust}}).value()["Role"];
  EXPECT_EQ(made["Arn"], "arn:aws:iam::" + call_.caller.account_id + ":role/Mine");
  EXPECT_THAT(made["AssumeRolePolicyDocument"], StartsWith("%7B%22Version"));
  EXPECT_EQ(Iam("ListRoles").value()["Roles"].size(), 2U);
  EXPECT_EQ(CodeOf(Iam("CreateRole", {{"RoleName", "Mine"}, {"AssumeRolePolicyDocument", kTrust}})),
            "EntityAlreadyExists");
  EXPECT_EQ(CodeOf(Iam("AttachRolePolicy", {{"RoleName", "Mine"}, {"PolicyArn", "arn:aws:iam::aws:policy/P"}})), "");
  EXPECT_EQ(CodeOf(Iam("DeleteRole", {{"RoleName", "Mine"}})), "DeleteConflict");
  EXPECT_EQ(Iam("ListAttachedRolePolicies", {{"RoleName", "Mine"}}).value()["AttachedPolicies"][0]["PolicyName"], "P");
  EXPECT_EQ(CodeOf(Iam("DetachRolePolicy", {{"RoleName", "Mine"}, {"PolicyArn", "arn:aws:iam::aws:policy/P"}})), "");
  EXPECT_EQ(CodeOf(Iam("DeleteRole", {{"RoleName", "Mine"}})), "");
  const auto gone = Iam("GetRole", {{"RoleName", "Mine"}});
  EXPECT_EQ(CodeOf(gone), "NoSuchEntity");
  EXPECT_EQ(gone.error().message, "The role with name Mine cannot be found.");
  EXPECT_EQ(gone.error().status, 404);
}

TEST_F(StsAndIam, InputIsChecked) {
  EXPECT_EQ(CodeOf(Iam("GetRole")), "ValidationError");
  EXPECT_EQ(CodeOf(Iam("GetRole", {{"RoleName", "a/b"}})), "ValidationError");
  EXPECT_EQ(CodeOf(Iam("CreateRole", {{"RoleName", "a"}, {"AssumeRolePolicyDocument", "{"}})),
            "MalformedPolicyDocument");
  EXPECT_EQ(
      CodeOf(Iam("CreateRole", {{"RoleName", std::string(kExecutionRole)}, {"AssumeRolePolicyDocument", kTrust}})),
      "EntityAlreadyExists");
  EXPECT_EQ(CodeOf(Iam("DeleteRole", {{"RoleName", std::string(kExecutionRole)}})), "UnmodifiableEntity");
}

}  // namespace
}  // namespace headrace::api
