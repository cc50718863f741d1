#include "jobs/process/child.h"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace headrace::jobs {
namespace {

struct Pipe {
  Descriptor read, write;
};

Result<Pipe> MakePipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return Fail(ErrorCode::kResourceExhausted, "cannot make a pipe: {}", std::strerror(errno));
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

// execve takes arrays of pointers; these live in strings that outlive the fork.
struct ExecArguments {
  explicit ExecArguments(const Command& command) {
    for (const auto& argument : command.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    for (const auto& [name, value] : command.environment) variables.push_back(name + "=" + value);
    for (auto& variable : variables) envp.push_back(variable.data());
    envp.push_back(nullptr);
  }
  std::vector<std::string> variables;
  std::vector<char*> argv, envp;
};

// The file to execute: a name without a slash is looked for in the PATH of the child's environment.
std::string ProgramPath(const Command& command) {
  const auto& name = command.arguments.front();
  if (name.find('/') != std::string::npos) return name;
  const auto variable = command.environment.find("PATH");
  std::string path = variable != command.environment.end() ? variable->second : "/usr/local/bin:/usr/bin:/bin";
  for (size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find(':', begin), path.size());
    const auto candidate = path.substr(begin, end - begin) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    begin = end + 1;
  }
  return name;
}

// Runs between fork and execve: only calls that are safe there, nothing that allocates.
[[noreturn]] void BecomeProgram(const char* program, const ExecArguments& arguments, const char* directory,
                                const cpu_set_t* cpus, const Pipe& output, const Pipe& error, int passed, int report) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGQUIT}) ::signal(signal, SIG_DFL);
  if (const int score = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); score >= 0) {
    [[maybe_unused]] const ssize_t written = ::write(score, "500", 3);
  }
  if (cpus != nullptr) ::sched_setaffinity(0, sizeof *cpus, cpus);
  const int null = ::open("/dev/null", O_RDONLY);
  if (null >= 0) ::dup2(null, STDIN_FILENO);
  if (null > STDERR_FILENO) ::close(null);
  // The report's descriptor must not be the one that the passed descriptor becomes.
  if (report == 3) report = ::fcntl(report, F_DUPFD_CLOEXEC, 10);
  if (passed == 3) ::fcntl(passed, F_SETFD, 0);
  if (passed >= 0 && passed != 3) ::dup2(passed, 3);
  if (::dup2(output.write.get(), STDOUT_FILENO) >= 0 && ::dup2(error.write.get(), STDERR_FILENO) >= 0 &&
      (directory == nullptr || ::chdir(directory) == 0))
    ::execve(program, arguments.argv.data(), arguments.envp.data());
  const int code = errno;
  [[maybe_unused]] const ssize_t written = ::write(report, &code, sizeof code);
  ::_exit(127);
}

}  // namespace

Result<Child> StartChild(const Command& command) {
  HEADRACE_ASSIGN(auto output, MakePipe());
  HEADRACE_ASSIGN(auto error, MakePipe());
  HEADRACE_ASSIGN(auto report, MakePipe());
  const ExecArguments arguments(command);
  const std::string program = ProgramPath(command);
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  for (const int cpu : command.cpus)
    if (cpu >= 0 && cpu < CPU_SETSIZE) CPU_SET(cpu, &cpus);

  const pid_t pid = ::fork();
  if (pid < 0) return Fail(ErrorCode::kResourceExhausted, "cannot start a process: {}", std::strerror(errno));
  if (pid == 0)
    BecomeProgram(program.c_str(), arguments, command.directory.empty() ? nullptr : command.directory.c_str(),
                  command.cpus.empty() ? nullptr : &cpus, output, error, command.passed_descriptor, report.write.get());
  report.write.Reset();
  int code = 0;
  ssize_t n;
  while ((n = ::read(report.read.get(), &code, sizeof code)) < 0 && errno == EINTR) {
  }
  if (n == sizeof code) {
    ::waitpid(pid, nullptr, 0);
    return Fail(ErrorCode::kNotFound, "cannot run {}: {}", program, std::strerror(code));
  }
  Child child;
  child.pid = pid;
  child.process = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!child.process) {
    const int failure = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return Fail(ErrorCode::kFailedPrecondition, "pidfd_open: {}", std::strerror(failure));
  }
  child.output = std::move(output.read);
  child.error = std::move(error.read);
  for (const int fd : {child.output.get(), child.error.get()}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return child;
}

}  // namespace headrace::jobs
