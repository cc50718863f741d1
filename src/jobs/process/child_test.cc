#include "jobs/process/child.h"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/testing/temporary_directory.h"
#include "jobs/process/find_program.h"

namespace headrace::jobs {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// What a command prints, once it has ended.
std::string OutputOf(const Command& command) {
  auto child = ValueOrThrow(StartChild(command));
  std::string text;
  char piece[4096];
  while (true) {
    pollfd readable{child.output.get(), POLLIN, 0};
    ::poll(&readable, 1, -1);
    const ssize_t n = ::read(child.output.get(), piece, sizeof piece);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) break;
    if (n > 0) text.append(piece, static_cast<size_t>(n));
  }
  EXPECT_EQ(::waitpid(child.pid, nullptr, 0), child.pid);
  return text;
}

Command Shell(const std::string& script) {
  Command command;
  command.arguments = {"/bin/sh", "-c", script};
  command.environment = {{"PATH", "/usr/bin:/bin"}};
  return command;
}

TEST(StartChild, PassesNoDescriptorButThoseOfTheCommand) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);  // without SOCK_CLOEXEC, as libraries make them
  const Descriptor one(ends[0]), other(ends[1]);
  const Descriptor high(::fcntl(ends[0], F_DUPFD, 300));
  // ls has a descriptor of its own: the directory that it reads.
  EXPECT_EQ(OutputOf(Shell("exec ls /proc/self/fd")), "0\n1\n2\n3\n");
  auto command = Shell("ls /proc/$$/fd; cat <&4; cat <&5");
  command.passed_descriptor = one.get();
  command.texts = {"first ", "second"};
  EXPECT_THAT(OutputOf(command),
              testing::AllOf(testing::StartsWith("0\n1\n2\n3\n4\n5\n"), testing::EndsWith("first second")));
}

TEST(StartChild, GivesDescriptorsThatHaveEachOthersNumbers) {
  TemporaryDirectory directory;
  // Descriptor 4 of this process, if it is free, is to be 3 of the program, whose 4 is a text.
  const Descriptor file(::open((directory / "f").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::write(file.get(), "file ", 5), 5);
  ASSERT_EQ(::lseek(file.get(), 0, SEEK_SET), 0);
  auto command = Shell("cat <&3; cat <&4");
  command.passed_descriptor = file.get();
  command.texts = {"text"};
  EXPECT_EQ(OutputOf(command), "file text");
}

TEST(StartChild, LeavesSignalsAsTheyAre) {
  sigset_t usr2, before, after;
  ::sigemptyset(&usr2);
  ::sigaddset(&usr2, SIGUSR2);
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &usr2, &before), 0);
  EXPECT_THAT(OutputOf(Shell("grep ^SigBlk /proc/self/status")), HasSubstr("SigBlk:\t0000000000000000"));
  EXPECT_FALSE(StartChild({.arguments = {"/no/such/program"}}));
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, &before, &after), 0);
  EXPECT_TRUE(::sigismember(&after, SIGUSR2));
  EXPECT_FALSE(::sigismember(&after, SIGTERM));
}

TEST(StartChild, LooksNothingUp) {
  TemporaryDirectory directory;
  auto command = Shell("");
  command.arguments = {"sh", "-c", "echo found"};
  command.environment = {{"PATH", "/bin"}};
  const auto refused = StartChild(command);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message(), HasSubstr("cannot run 'sh': wanted an absolute path"));
  command.arguments = {"/no/such/program"};
  EXPECT_EQ(StartChild(command).error().code(), ErrorCode::kNotFound);
}

TEST(StartChild, GivesTheEnvironmentAndNothingBesides) {
  auto command = Shell("exec env");
  command.environment = {{"PATH", "/usr/bin:/bin"}, {"ONLY", "this"}};
  EXPECT_THAT(OutputOf(command), testing::AnyOf("ONLY=this\nPATH=/usr/bin:/bin\nPWD=/\n", HasSubstr("ONLY=this\n")));
  EXPECT_THAT(OutputOf(command), testing::Not(HasSubstr("HOME=")));
}

TEST(FindProgram, LooksInThePathOfThisProcess) {
  EXPECT_THAT(ValueOrThrow(FindProgram("sh")), testing::EndsWith("/sh"));
  EXPECT_EQ(ValueOrThrow(FindProgram("/bin/../bin/sh")), "/bin/sh");
  EXPECT_EQ(FindProgram("no-such-program-here").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(FindProgram("/etc/passwd").error().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace headrace::jobs
