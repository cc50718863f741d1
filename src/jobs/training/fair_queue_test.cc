#include "jobs/training/fair_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

using ::testing::ElementsAre;

// The waiting jobs of some accounts, each the number of its creation.
class FairQueueTest : public ::testing::Test {
 protected:
  std::vector<WaitingJob> FirstOfEach() const {
    std::vector<WaitingJob> first;
    for (const auto& [account, jobs] : waiting_)
      if (!jobs.empty()) first.push_back({account, account + std::to_string(jobs.front()), jobs.front()});
    return first;
  }
  // Takes the next `count` jobs.
  std::vector<std::string> Take(int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) {
      const auto next = queue_.Next(FirstOfEach());
      if (!next) break;
      names.push_back(next->name);
      waiting_[next->account].erase(waiting_[next->account].begin());
      queue_.Taken(*next);
    }
    return names;
  }

  std::map<std::string, std::vector<int64_t>> waiting_;
  FairQueue queue_;
};

TEST_F(FairQueueTest, OneAccountIsFirstComeFirstServed) {
  waiting_ = {{"a", {1, 2, 3}}};
  EXPECT_THAT(Take(9), ElementsAre("a1", "a2", "a3"));
}

TEST_F(FairQueueTest, AccountsTakeTurns) {
  waiting_ = {{"a", {1, 2, 3, 4}}, {"b", {5, 6}}, {"c", {7}}};
  EXPECT_THAT(Take(9), ElementsAre("a1", "b5", "c7", "a2", "b6", "a3", "a4"));
}

TEST_F(FairQueueTest, ALongQueueKeepsNobodyWaiting) {
  waiting_["a"] = {1, 2, 3, 4, 5, 6};
  Take(3);
  waiting_["b"] = {100};
  EXPECT_THAT(Take(2), ElementsAre("b100", "a4"));
}

TEST_F(FairQueueTest, AJobWhoseTurnHasComeIsNotOvertaken) {
  waiting_ = {{"a", {1, 2}}, {"b", {3}}};
  Take(1);
  EXPECT_EQ(queue_.Next(FirstOfEach())->name, "b3");  // too large for now
  waiting_["c"] = {9};                                // has had no turn yet
  EXPECT_THAT(Take(3), ElementsAre("b3", "c9", "a2"));
}

TEST_F(FairQueueTest, AJobThatWaitsNoLongerMakesWay) {
  waiting_ = {{"a", {1}}, {"b", {3}}};
  EXPECT_EQ(queue_.Next(FirstOfEach())->name, "a1");
  waiting_["a"].clear();
  EXPECT_THAT(Take(2), ElementsAre("b3"));
  EXPECT_FALSE(queue_.Next({}).has_value());
}

}  // namespace
}  // namespace headrace::jobs
