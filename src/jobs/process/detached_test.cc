#include "jobs/process/detached.h"

#include <chrono>
#include <csignal>
#include <thread>

#include <gmock/gmock.h>
#include <unistd.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"

namespace headrace::jobs {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

// What a script has written once its last line is "end"; it is nobody's child, so that nobody can wait for it.
std::string OutputOf(const std::string& script) {
  const TemporaryDirectory directory;
  ValueOrThrow(StartDetached({"/bin/sh", "-c", script + "; echo end"}, directory / "output"));
  std::string text;
  for (int i = 0; i < 2000 && !text.ends_with("end\n"); ++i) {
    text = ReadFile(directory / "output").value_or("");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_THAT(text, EndsWith("end\n"));
  return text;
}

TEST(StartDetached, TheProcessIsNobodysChildAndHasNothingOfOurs) {
  ASSERT_NE(::signal(SIGUSR1, SIG_IGN), SIG_ERR);
  sigset_t usr2, before, after;
  ::sigemptyset(&usr2);
  ::sigaddset(&usr2, SIGUSR2);
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &usr2, &before), 0);
  // The shell reads its own status, because dash holds all signals back while it starts a program; and no pipe is among
  // its files.
  const auto text = OutputOf(
      "echo parent $PPID; exec 9</dev/null; ls -m /proc/$$/fd; "
      "while IFS= read -r line; do case $line in Sig*) echo \"$line\";; esac; done </proc/$$/status");
  EXPECT_EQ(text.find("parent " + std::to_string(::getpid()) + "\n"), std::string::npos);
  EXPECT_THAT(text, HasSubstr("\n0, 1, 2, 9\nSigQ"));
  EXPECT_THAT(text, HasSubstr("SigBlk:\t0000000000000000"));
  EXPECT_THAT(text, HasSubstr("SigIgn:\t0000000000000000"));
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, &before, &after), 0);
  EXPECT_TRUE(::sigismember(&after, SIGUSR2));
  EXPECT_FALSE(::sigismember(&after, SIGTERM));
  ::signal(SIGUSR1, SIG_DFL);
}

TEST(StartDetached, SaysWhatCannotBeRun) {
  const TemporaryDirectory directory;
  const auto started = StartDetached({directory / "missing"}, directory / "output");
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(started.error().message(), HasSubstr("missing: No such file or directory"));
  EXPECT_FALSE(StartDetached({"/bin/true"}, directory / "none/output"));
}

}  // namespace
}  // namespace headrace::jobs
