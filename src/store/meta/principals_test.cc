#include "store/meta/principals.h"

#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"
#include "store/meta/training_jobs.h"

namespace headrace::store {
namespace {

class PrincipalsTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  ManualClock clock_{1'700'000'000'000};
  std::unique_ptr<Database> database_ = Database::Open(directory_ / "meta.db").value();
  Principals principals_{*database_, clock_};
};

TEST_F(PrincipalsTest, CreatesKeysThatCanBeFound) {
  const AccessKey key = principals_.Create("alice").value();
  EXPECT_EQ(key.access_key_id.substr(0, 4), "AKIA");
  EXPECT_EQ(key.access_key_id.size(), 20U);
  EXPECT_EQ(key.secret_access_key.size(), 40U);
  EXPECT_EQ(key.account_id.size(), 12U);
  const AccessKey found = principals_.FindKey(key.access_key_id).value();
  EXPECT_EQ(found.secret_access_key, key.secret_access_key);
  EXPECT_EQ(found.account_id, key.account_id);
  EXPECT_EQ(found.principal, "alice");
  EXPECT_EQ(principals_.FirstKey("alice").value().access_key_id, key.access_key_id);
}

TEST_F(PrincipalsTest, GivesEachPrincipalItsOwnAccount) {
  EXPECT_NE(principals_.Create("alice").value().account_id, principals_.Create("bob").value().account_id);
  EXPECT_EQ(principals_.Create("alice").error().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(principals_.List().value().size(), 2U);
}

TEST_F(PrincipalsTest, RefusesBadNames) {
  for (const char* name : {"", "-a", "a b", "a/b", "ä"})
    EXPECT_EQ(principals_.Create(name).error().code(), ErrorCode::kInvalidArgument) << name;
}

TEST_F(PrincipalsTest, RevokedKeysStopAtOnceAndTheAccountStays) {
  const AccessKey key = principals_.Create("alice").value();
  const AccessKey session = principals_.AddSessionKey("alice", "arn:aws:sts::1:assumed-role/r/s", 60'000).value();
  ASSERT_TRUE(principals_.Revoke("alice"));
  EXPECT_EQ(principals_.FindKey(key.access_key_id).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(principals_.FindKey(session.access_key_id).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(principals_.Revoke("alice").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(principals_.Find("alice").value().keys, 0);
  EXPECT_EQ(principals_.Create("alice").value().account_id, key.account_id);
}

TEST_F(PrincipalsTest, RotatesKeys) {
  const AccessKey first = principals_.Create("alice").value();
  const AccessKey second = principals_.AddKey("alice").value();
  ASSERT_TRUE(principals_.RevokeKey(first.access_key_id));
  EXPECT_FALSE(principals_.FindKey(first.access_key_id));
  EXPECT_TRUE(principals_.FindKey(second.access_key_id));
  EXPECT_EQ(principals_.AddKey("bob").error().code(), ErrorCode::kNotFound);
}

TEST_F(PrincipalsTest, SessionKeysExpire) {
  ASSERT_TRUE(principals_.Create("alice"));
  const AccessKey session = principals_.AddSessionKey("alice", "arn:aws:sts::1:assumed-role/r/s", 60'000).value();
  EXPECT_EQ(session.access_key_id.substr(0, 4), "ASIA");
  clock_.Advance(59'999);
  EXPECT_EQ(principals_.FindKey(session.access_key_id).value().session_token, session.session_token);
  clock_.Advance(1);
  EXPECT_EQ(principals_.FindKey(session.access_key_id).error().code(), ErrorCode::kNotFound);
}

class JobKeysTest : public PrincipalsTest {
 protected:
  JobKeysTest() {
    EXPECT_TRUE(principals_.Create("alice"));
    job_.account_id = principals_.Find("alice").value().account_id;
    job_.name = "job";
    job_.arn = "arn:aws:sagemaker:us-west-2:" + job_.account_id + ":training-job/job";
    job_.request = "{}";
    job_.status = "InProgress";
    EXPECT_TRUE(jobs_.Insert(job_).value());
  }
  Result<AccessKey> Add() { return principals_.AddJobKey("alice", "arn:aws:sts::1:assumed-role/r/job", job_.arn); }
  bool Works(const AccessKey& key) { return principals_.FindKey(key.access_key_id).has_value(); }
  void End(const std::string& status) {
    ASSERT_TRUE(jobs_.Update(job_.account_id, "job", [&](TrainingJob& job) -> Status {
      job.status = status;
      return {};
    }));
  }

  TrainingJobs jobs_{*database_};
  TrainingJob job_;
};

TEST_F(JobKeysTest, EndWithTheJob) {
  for (const char* status : {"Completed", "Failed", "Stopped"}) {
    End("InProgress");
    const AccessKey key = Add().value();
    const AccessKey others = principals_.AddSessionKey("alice", key.session_arn, 60'000).value();
    End("Stopping");
    EXPECT_TRUE(Works(key)) << status;  // it may still save what it has
    End(status);
    EXPECT_FALSE(Works(key)) << status;
    EXPECT_TRUE(Works(others)) << status;
    EXPECT_EQ(Add().error().code(), ErrorCode::kFailedPrecondition) << status;
  }
}

TEST_F(JobKeysTest, NoStepOfTheClockEndsThem) {
  const AccessKey key = Add().value();
  const AccessKey session = principals_.AddSessionKey("alice", key.session_arn, 60'000).value();
  clock_.Advance(int64_t{10} * 365 * 86'400'000);
  EXPECT_FALSE(Works(session));
  EXPECT_TRUE(principals_.AddSessionKey("alice", key.session_arn, 60'000));  // removes the keys that have expired
  EXPECT_TRUE(Works(key));
}

TEST_F(JobKeysTest, TakeWhatWasGotWithThemAlong) {
  const AccessKey key = Add().value();
  const AccessKey derived =
      principals_.AddDerivedKey(key.access_key_id, "arn:aws:sts::1:assumed-role/r/s", 60'000).value();
  const AccessKey again =
      principals_.AddDerivedKey(derived.access_key_id, "arn:aws:sts::1:assumed-role/r/t", 60'000).value();
  EXPECT_EQ(again.principal, "alice");
  EXPECT_TRUE(Works(again));
  End("Completed");
  EXPECT_FALSE(Works(derived));
  EXPECT_FALSE(Works(again));
  EXPECT_EQ(principals_.AddDerivedKey(key.access_key_id, "arn", 60'000).error().code(), ErrorCode::kFailedPrecondition);
}

TEST_F(JobKeysTest, EndWithTheJobsRowAndWithTheNextAttempt) {
  const AccessKey first = Add().value(), second = Add().value();
  EXPECT_FALSE(Works(first));
  EXPECT_TRUE(Works(second));
  ASSERT_TRUE(jobs_.Delete(job_.account_id, "job").value());
  EXPECT_FALSE(Works(second));
  EXPECT_EQ(Add().error().code(), ErrorCode::kFailedPrecondition);
}

TEST_F(JobKeysTest, ARevokedPrincipalGetsNone) {
  const AccessKey key = Add().value();
  ASSERT_TRUE(principals_.Revoke("alice"));
  EXPECT_FALSE(Works(key));
  EXPECT_EQ(Add().error().code(), ErrorCode::kFailedPrecondition);
  EXPECT_EQ(principals_.AddSessionKey("alice", "arn", 60'000).error().code(), ErrorCode::kFailedPrecondition);
  ASSERT_TRUE(principals_.Create("alice"));
  EXPECT_FALSE(Works(key));
}

}  // namespace
}  // namespace headrace::store
