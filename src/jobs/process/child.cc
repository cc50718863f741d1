#include "jobs/process/child.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jobs/process/exec_descriptors.h"
#include "jobs/process/start_signals.h"

namespace headrace::jobs {

// Between vfork and exec, too.
uint64_t MostDescriptors() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  return std::min<uint64_t>(limit.rlim_max, kMostDescriptors);  // RLIM_INFINITY is the greatest
}

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

// execve takes arrays of pointers; these live in strings that outlive the start.
struct ExecArguments {
  explicit ExecArguments(const Command& command) {
    for (const auto& argument : command.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    for (const auto& group : command.groups) groups.push_back(group.c_str());
    groups.push_back(nullptr);
    for (const auto& [name, value] : command.environment) variables.push_back(name + "=" + value);
    for (auto& variable : variables) envp.push_back(variable.data());
    envp.push_back(nullptr);
    for (const auto& bind : command.binds) binds.emplace_back(bind.source.c_str(), bind.target.c_str());
  }
  std::vector<std::string> variables;
  std::vector<char*> argv, envp;
  std::vector<std::pair<const char*, const char*>> binds;
  std::vector<const char*> groups;
};

// A file of memory that holds `text`, to be read from its beginning.
Result<Descriptor> TextFile(const std::string& text) {
  Descriptor file(::memfd_create("headrace", MFD_CLOEXEC));
  size_t written = 0;
  while (file && written < text.size()) {
    const ssize_t n = ::write(file.get(), text.data() + written, text.size() - written);
    if (n < 0 && errno != EINTR) break;
    written += n > 0 ? static_cast<size_t>(n) : 0;
  }
  if (!file || written < text.size() || ::lseek(file.get(), 0, SEEK_SET) != 0)
    return Fail(ErrorCode::kResourceExhausted, "cannot make a file in memory: {}", std::strerror(errno));
  return file;
}

// What a program's descriptors become of, from 0 on; -1: nothing.
using Sources = std::vector<int>;

// After vfork: in name spaces of its own, so that nobody else sees the mounts.
bool MountPrivately(const ExecArguments& arguments) {
  if (arguments.binds.empty()) return true;
  if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  for (const auto& [source, target] : arguments.binds)
    if (::mount(source, target, nullptr, MS_BIND | MS_REC, nullptr) != 0) return false;
  return true;
}

// After vfork. False when a group cannot be entered: the program must not run without its limits.
bool EnterLimits(const char* const* groups) {
  for (; *groups != nullptr; ++groups) {
    const int file = ::open(*groups, O_WRONLY | O_CLOEXEC);
    if (file < 0 || ::write(file, "0", 1) != 1) return false;
    ::close(file);
  }
  const struct rlimit no_core = {0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const rlim_t most = MostDescriptors();
  const struct rlimit descriptors = {most, most};
  return most > 0 && ::setrlimit(RLIMIT_NOFILE, &descriptors) == 0;
}

// What a child needs to become its program.
struct Start {
  const ExecArguments& arguments;
  const char* directory;  // nullptr stays
  const cpu_set_t* cpus;  // nullptr: all
  Sources& sources;
  int report;
  pid_t parent;
};

// Runs between vfork and execve: only calls that are safe there, nothing that allocates.
[[noreturn]] void BecomeProgram(const Start& start) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != start.parent) ::_exit(127);  // it died before it could be watched
  for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGQUIT}) ::signal(signal, SIG_DFL);
  if (const int score = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); score >= 0) {
    [[maybe_unused]] const ssize_t written = ::write(score, "500", 3);
    ::close(score);
  }
  if (start.cpus != nullptr) ::sched_setaffinity(0, sizeof *start.cpus, start.cpus);
  // Out of the way first: a source may have the number that another one is to get.
  Sources& sources = start.sources;
  const auto out_of_the_way = static_cast<int>(sources.size());
  const int report = ::fcntl(start.report, F_DUPFD_CLOEXEC, out_of_the_way);
  bool given = report >= 0;
  for (int& source : sources)
    if (source >= 0) given = (source = ::fcntl(source, F_DUPFD_CLOEXEC, out_of_the_way)) >= 0 && given;
  CloseAtExec(STDERR_FILENO + 1);
  for (size_t fd = 0; fd < sources.size(); ++fd)
    if (sources[fd] >= 0) given = ::dup2(sources[fd], static_cast<int>(fd)) >= 0 && given;
  const ExecArguments& arguments = start.arguments;
  if (given && EnterLimits(arguments.groups.data()) && MountPrivately(arguments) &&
      (start.directory == nullptr || ::chdir(start.directory) == 0)) {
    TakeSignals();
    ::execve(arguments.argv[0], arguments.argv.data(), arguments.envp.data());
  }
  const int code = errno;
  [[maybe_unused]] const ssize_t written = ::write(report, &code, sizeof code);
  ::_exit(127);
}

// A function of its own, because it returns twice.
[[gnu::noinline]] pid_t StartProgram(const Start& start) {
  const SignalsHeld held;
  const pid_t pid = ::vfork();
  if (pid == 0) BecomeProgram(start);
  return pid;
}

}  // namespace

Result<Child> StartChild(const Command& command) {
  if (command.arguments.empty() || !command.arguments.front().starts_with('/'))
    return Fail(ErrorCode::kInvalidArgument, "cannot run '{}': wanted an absolute path",
                command.arguments.empty() ? "" : command.arguments.front());
  const std::string& program = command.arguments.front();
  if (command.prepare) HEADRACE_TRY(command.prepare());
  HEADRACE_ASSIGN(auto output, MakePipe());
  HEADRACE_ASSIGN(auto error, MakePipe());
  HEADRACE_ASSIGN(auto report, MakePipe());
  const Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Sources sources = {nothing.get(), output.write.get(), error.write.get(), command.passed_descriptor};
  sources.insert(sources.end(), command.more_descriptors.begin(), command.more_descriptors.end());
  std::vector<Descriptor> texts;
  for (const auto& text : command.texts) {
    HEADRACE_ASSIGN(auto file, TextFile(text));
    sources.push_back(file.get());
    texts.push_back(std::move(file));
  }
  const ExecArguments arguments(command);
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  for (const int cpu : command.cpus)
    if (cpu >= 0 && cpu < CPU_SETSIZE) CPU_SET(cpu, &cpus);

  const pid_t pid = StartProgram({.arguments = arguments,
                                  .directory = command.directory.empty() ? nullptr : command.directory.c_str(),
                                  .cpus = command.cpus.empty() ? nullptr : &cpus,
                                  .sources = sources,
                                  .report = report.write.get(),
                                  .parent = ::getpid()});
  if (pid < 0) return Fail(ErrorCode::kResourceExhausted, "cannot start a process: {}", std::strerror(errno));
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
