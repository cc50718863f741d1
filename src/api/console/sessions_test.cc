#include "api/console/sessions.h"

#include <gmock/gmock.h>

namespace headrace::api::console {
namespace {

SignedIn Alice() { return {"alice", "111111111111", {"ASIA1", "secret", "token"}}; }

class SessionsTest : public testing::Test {
 protected:
  ManualClock clock_{1000};
  Sessions sessions_{clock_};
};

TEST_F(SessionsTest, EndsAtSignOut) {
  const std::string id = sessions_.Open(Alice());
  EXPECT_EQ(id.size(), 64u);
  ASSERT_TRUE(sessions_.Find(id));
  EXPECT_EQ(sessions_.Find(id)->user, "alice");
  EXPECT_FALSE(sessions_.Find(""));
  EXPECT_FALSE(sessions_.Find(id.substr(1)));
  sessions_.Close(id);
  EXPECT_FALSE(sessions_.Find(id));
}

TEST_F(SessionsTest, EveryIdentifierIsNew) { EXPECT_NE(sessions_.Open(Alice()), sessions_.Open(Alice())); }

TEST_F(SessionsTest, EndsWhenNobodyUsesIt) {
  const std::string id = sessions_.Open(Alice());
  clock_.Advance(kIdleMillis - 1);
  EXPECT_TRUE(sessions_.Find(id));  // which is a use
  clock_.Advance(kIdleMillis - 1);
  EXPECT_TRUE(sessions_.Find(id));
  clock_.Advance(kIdleMillis);
  EXPECT_FALSE(sessions_.Find(id));
}

TEST_F(SessionsTest, EndsAfterItsLongestTimeThoughItIsUsed) {
  const std::string id = sessions_.Open(Alice());
  for (int64_t passed = kIdleMillis / 2; passed < kSessionMillis; passed += kIdleMillis / 2) {
    clock_.Advance(kIdleMillis / 2);
    EXPECT_TRUE(sessions_.Find(id));
  }
  clock_.Advance(kIdleMillis / 2);
  EXPECT_FALSE(sessions_.Find(id));
}

TEST_F(SessionsTest, OneMoreThanTheMostEndsTheOneThatWasIdleLongest) {
  const std::string first = sessions_.Open(Alice());
  clock_.Advance(1);
  const std::string second = sessions_.Open(Alice());
  clock_.Advance(1);
  EXPECT_TRUE(sessions_.Find(first));
  for (size_t i = 2; i <= kMostSessions; ++i) sessions_.Open(Alice());
  EXPECT_TRUE(sessions_.Find(first));
  EXPECT_FALSE(sessions_.Find(second));
}

TEST_F(SessionsTest, ATicketOpensOnce) {
  const std::string ticket = sessions_.MakeTicket(Alice());
  EXPECT_FALSE(sessions_.Find(ticket));  // it is no session
  ASSERT_TRUE(sessions_.Redeem(ticket));
  EXPECT_FALSE(sessions_.Redeem(ticket));
}

TEST_F(SessionsTest, ATicketIsGoodForAMinute) {
  const std::string ticket = sessions_.MakeTicket(Alice());
  clock_.Advance(kTicketMillis);
  EXPECT_FALSE(sessions_.Redeem(ticket));
}

}  // namespace
}  // namespace headrace::api::console
