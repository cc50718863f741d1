#include "jobs/supervisor/heartbeat.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"

namespace headrace::jobs {
namespace {

using ::testing::HasSubstr;

class HeartbeatTest : public ::testing::Test {
 protected:
  HeartbeatTest() : reporter_(ValueOrThrow(Reporter::Create(HostDirectory(dir_.path()), 0, wall_, clock_))) {}
  std::string Log() { return ValueOrThrow(ReadFile(HostDirectory(dir_.path()).log(0))); }
  size_t Beats() {
    size_t count = 0;
    const auto log = Log();
    for (size_t at = 0; (at = log.find("no new line", at)) != std::string::npos; ++at) ++count;
    return count;
  }
  // Waits for something that another thread does; false after ten seconds.
  static bool Becomes(const std::function<bool()>& condition) {
    for (int i = 0; i < 1000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  TemporaryDirectory dir_;
  ManualClock wall_{1'700'000'000'000}, clock_{1'000'000};
  std::unique_ptr<Reporter> reporter_;
};

TEST_F(HeartbeatTest, TellsPhaseAndUseOfASilentJobLessAndLessOften) {
  reporter_->Phase(SecondaryStatus::kTraining, "Training in progress");
  reporter_->Sample(198.4, 12.5, 1);
  const Heartbeat heartbeat(*reporter_, clock_, 1000);
  clock_.Advance(1000);
  ASSERT_TRUE(Becomes([&] { return Beats() == 1; }));
  EXPECT_THAT(Log(), HasSubstr("[headrace] Training since 1 s, no new line for 1 s; CPU 198 %, memory 12.5 %"));
  clock_.Advance(500);  // 1.5 s of silence: the next is told after 2 s
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(Beats(), 1u);
  clock_.Advance(500);
  ASSERT_TRUE(Becomes([&] { return Beats() == 2; }));
}

TEST_F(HeartbeatTest, ASetClockMakesNoSilenceAndNoPhaseLonger) {
  reporter_->Phase(SecondaryStatus::kTraining, "Training in progress");
  const Heartbeat heartbeat(*reporter_, clock_, 1000);
  wall_.Advance(86'400'000);
  reporter_->Phase(SecondaryStatus::kUploading, "Uploading");
  clock_.Advance(999);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(Beats(), 0u);
  wall_.Advance(-2 * 86'400'000LL);
  clock_.Advance(1);
  ASSERT_TRUE(Becomes([&] { return Beats() == 1; }));
  EXPECT_THAT(Log(), HasSubstr("Uploading since 1 s, no new line for 1 s"));
  using Times = std::vector<std::pair<std::string, int64_t>>;
  EXPECT_EQ(reporter_->PhaseTimes(), (Times{{"Training", 0}, {"Uploading", 1000}}));
}

TEST_F(HeartbeatTest, ALineOfTheProgramBeginsANewSilence) {
  reporter_->Phase(SecondaryStatus::kTraining, "Training in progress");
  const Heartbeat heartbeat(*reporter_, clock_, 1000);
  clock_.Advance(1000);
  ASSERT_TRUE(Becomes([&] { return Beats() == 1; }));
  reporter_->Output(OutputStream::kOutput, "epoch 1\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(Beats(), 1u);
  clock_.Advance(1000);
  ASSERT_TRUE(Becomes([&] { return Beats() == 2; }));
}

}  // namespace
}  // namespace headrace::jobs
