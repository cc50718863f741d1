#include "apps/doctor/rounds.h"

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

namespace headrace::apps {
namespace {

TEST(DoctorRounds, ExaminesOnceHoweverOftenItIsAsked) {
  ManualClock clock(1000);
  std::promise<void> allowed;
  const std::shared_future<void> may_end = allowed.get_future().share();
  std::atomic<int> examinations = 0;
  DoctorRounds rounds(clock, [&] {
    may_end.wait();
    return std::vector<Check>{{"sandbox", ++examinations == 1 ? Verdict::kWarning : Verdict::kOk, "found"}};
  });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(rounds.Ask(true), (nlohmann::json{{"Running", true}}));
  allowed.set_value();
  nlohmann::json told;
  while ((told = rounds.Ask(false))["Running"] == true) std::this_thread::yield();
  EXPECT_EQ(told["Checks"][0], (nlohmann::json{{"check", "sandbox"}, {"verdict", "warning"}, {"detail", "found"}}));
  EXPECT_EQ(examinations, 1);
  EXPECT_EQ(rounds.Ask(true)["Checks"][0]["verdict"], "warning");  // of the last one, while the next is under way
  while ((told = rounds.Ask(false))["Running"] == true) std::this_thread::yield();
  EXPECT_EQ(told["Checks"][0]["verdict"], "ok");
}

TEST(DoctorRounds, AnExaminationThatBreaksOffIsAFinding) {
  ManualClock clock(1000);
  DoctorRounds rounds(clock, []() -> std::vector<Check> { throw std::runtime_error("no directory can be made"); });
  nlohmann::json told;
  while ((told = rounds.Ask(false))["Running"] == true) std::this_thread::yield();
  EXPECT_EQ(told["Checks"][0]["verdict"], "failed");
  EXPECT_EQ(told["Checks"][0]["detail"], "no directory can be made");
}

}  // namespace
}  // namespace headrace::apps
