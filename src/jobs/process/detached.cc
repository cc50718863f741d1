#include "jobs/process/detached.h"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/descriptor_limit.h"
#include "jobs/process/exec_descriptors.h"
#include "jobs/process/start_signals.h"

extern char** environ;

namespace headrace::jobs {
namespace {

// After vfork: only what is safe there.
[[noreturn]] void Become(char* const* argv, int output, int report) {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  CloseAtExec(STDERR_FILENO + 1);
  GiveBackDescriptorLimit();
  TakeSignals();
  ::execve(argv[0], argv, environ);
  const int code = errno;
  [[maybe_unused]] const ssize_t written = ::write(report, &code, sizeof code);
  ::_exit(127);
}

// The child ends at once, so that its own child is nobody's.
[[noreturn]] void LeaveChild(char* const* argv, int output, int report) {
  ::setsid();
  const pid_t pid = ::vfork();
  if (pid == 0) Become(argv, output, report);
  ::_exit(pid > 0 ? 0 : 1);
}

// A function of its own, because it returns twice.
[[gnu::noinline]] pid_t StartChildOfNobody(char* const* argv, int output, int report) {
  const SignalsHeld held;
  const pid_t pid = ::vfork();
  if (pid == 0) LeaveChild(argv, output, report);
  return pid;
}

}  // namespace

Status StartDetached(const std::vector<std::string>& arguments, const std::string& output_path) {
  const Descriptor output(::open(output_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!output) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot open: {}", output_path, std::strerror(errno));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return Fail(ErrorCode::kResourceExhausted, "cannot make a pipe: {}", std::strerror(errno));
  Descriptor report(ends[0]), report_write(ends[1]);
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  const pid_t pid = StartChildOfNobody(argv.data(), output.get(), report_write.get());
  if (pid < 0) return Fail(ErrorCode::kResourceExhausted, "cannot start a process: {}", std::strerror(errno));
  report_write.Reset();
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  int code = 0;
  ssize_t n;
  while ((n = ::read(report.get(), &code, sizeof code)) < 0 && errno == EINTR) {
  }
  if (n == sizeof code) return Fail(ErrorCode::kNotFound, "cannot run {}: {}", arguments.front(), std::strerror(code));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return Fail(ErrorCode::kResourceExhausted, "cannot start {}", arguments.front());
  return {};
}

}  // namespace headrace::jobs
