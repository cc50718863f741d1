#include "store/meta/principals.h"

#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"

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

}  // namespace
}  // namespace headrace::store
