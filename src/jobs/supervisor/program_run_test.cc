#include "jobs/supervisor/program_run.h"

#include <csignal>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing/temporary_directory.h"
#include "jobs/process/process_tree.h"
#include "jobs/runtime/installation.h"

namespace headrace::jobs {
namespace {

using ::testing::ElementsAre;

class ProgramRunTest : public ::testing::Test {
 protected:
  ProgramRunTest() {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // as the supervisor is
    reporter_ = ValueOrThrow(Reporter::Create(HostDirectory(dir_.path()), 0, clock_, clock_));
  }
  ~ProgramRunTest() override { ::prctl(PR_SET_CHILD_SUBREAPER, 0); }  // other tests want orphans to be init's
  ProgramEnd Run(const std::string& script, const RunOptions& options = {}) {
    return ValueOrThrow(RunProgram({.arguments = {"/bin/sh", "-c", script}, .environment = {{"PATH", "/usr/bin:/bin"}}},
                                   false, options, *reporter_, clock_));
  }
  TemporaryDirectory dir_;
  SystemClock clock_;
  std::unique_ptr<Reporter> reporter_;
};

TEST_F(ProgramRunTest, TellsCodeAndSignal) {
  EXPECT_TRUE(Run("true").succeeded());
  EXPECT_EQ(Run("exit 7").exit_code, 7);
  const auto killed = Run("kill -SEGV $$");
  EXPECT_EQ(killed.signal, SIGSEGV);
  EXPECT_EQ(killed.exit_code, 128 + SIGSEGV);
}

TEST_F(ProgramRunTest, KeepsTheLastLinesOfStandardError) {
  Run("echo out; echo one >&2; printf two >&2");
  EXPECT_THAT(reporter_->LastLines(), ElementsAre("one", "two"));
}

TEST_F(ProgramRunTest, KillsWhatOutgrowsItsMemory) {
  RunOptions options;
  options.memory_bytes = 64 << 20;
  const auto end = Run("x=$(head -c 200000000 /dev/zero | tr '\\0' x); sleep 30; echo ${#x}", options);
  EXPECT_TRUE(end.out_of_memory);
  EXPECT_FALSE(end.succeeded());
  EXPECT_GT(end.peak_bytes, options.memory_bytes);
}

TEST_F(ProgramRunTest, TheReasonToEndItStaysWhenNothingElseHasFailed) {
  RunOptions options;
  options.tasks = 3;
  options.failed_meanwhile = [] { return std::string(); };
  const auto end = Run("sleep 60 & sleep 60 & sleep 60 & sleep 60 & wait", options);
  EXPECT_THAT(end.failure, ::testing::StartsWith("AlgorithmError: the job had "));
}

TEST_F(ProgramRunTest, LeavesNoProcessBehind) {
  Run("sleep 1000 & setsid sleep 1000 & true");
  EXPECT_TRUE(Descendants(::getpid()).empty());
}

// Nor does a supervisor that is killed, where there is neither a sandbox nor a control group: processes of process
// groups and sessions of their own, and those whose parents have gone, end with it.
TEST_F(ProgramRunTest, NothingOutlivesAKilledSupervisor) {
  const auto begun = dir_ / "begun";
  const pid_t supervisor = ::fork();
  if (supervisor == 0) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    const auto script =
        "setsid sh -c 'sleep 1000 & sleep 1000' & (setsid sleep 1000 &); touch " + begun + "; sleep 1000";
    (void)RunProgram({.arguments = {FindInstallation(HEADRACE_BINARY).init, "/bin/sh", "-c", script},
                      .environment = {{"PATH", "/usr/bin:/bin"}}},
                     true, {}, *reporter_, clock_);
    ::_exit(1);
  }
  const auto becomes = [](const std::function<bool()>& condition) {
    for (int i = 0; i < 1000 && !condition(); ++i) ::usleep(10'000);
    return condition();
  };
  ASSERT_TRUE(becomes([&] { return ::access(begun.c_str(), F_OK) == 0; }));
  ASSERT_TRUE(becomes([&] { return Descendants(supervisor).size() >= 6; }));  // four that sleep, two shells, and init
  ::kill(supervisor, SIGKILL);
  EXPECT_TRUE(becomes([&] {  // orphans would come to this process
    while (::waitpid(-1, nullptr, WNOHANG) > 0) continue;
    return Descendants(::getpid()).empty();
  }));
  for (const pid_t pid : Descendants(::getpid())) ::kill(pid, SIGKILL);
}

TEST_F(ProgramRunTest, KillsWhatDoesNotListen) {
  RunOptions options;
  options.grace_seconds = 1;
  options.stop_requested = [asked = 0]() mutable { return ++asked > 10; };  // the trap is set by then
  const auto end = Run("trap '' TERM; while :; do sleep 0.05; done", options);
  EXPECT_TRUE(end.stopped);
  EXPECT_TRUE(end.killed);
  EXPECT_EQ(end.signal, SIGKILL);
}

TEST_F(ProgramRunTest, EndsWhenSomethingElseFails) {
  RunOptions options;
  options.failed_meanwhile = [] { return std::string("ClientError: a channel"); };
  EXPECT_EQ(Run("sleep 1000", options).failure, "ClientError: a channel");
}

TEST_F(ProgramRunTest, SaysWhatCannotBeRun) {
  EXPECT_EQ(RunProgram({.arguments = {"/no/such/program"}}, false, {}, *reporter_, clock_).error().code(),
            ErrorCode::kNotFound);
}

}  // namespace
}  // namespace headrace::jobs
