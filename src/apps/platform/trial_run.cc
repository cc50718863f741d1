#include "apps/platform/trial_run.h"

#include <cerrno>
#include <csignal>
#include <filesystem>

#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "jobs/process/child.h"
#include "jobs/sandbox/sandbox.h"

namespace headrace::apps {
namespace {

constexpr int kTrialMillis = 60'000;

// What there is to read; the pipe is non-blocking.
void Drain(int fd, std::string& text) {
  char piece[4096];
  for (ssize_t n; (n = ::read(fd, piece, sizeof piece)) > 0;) text.append(piece, static_cast<size_t>(n));
}

std::string LastLine(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

// Its exit status, with what it said and printed; killed when it takes too long.
int AwaitEnd(const jobs::Child& child, std::string& said, std::string& printed) {
  pollfd watched[] = {
      {child.process.get(), POLLIN, 0}, {child.error.get(), POLLIN, 0}, {child.output.get(), POLLIN, 0}};
  while (true) {
    const int ready = ::poll(watched, std::size(watched), kTrialMillis);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) ::kill(-child.pid, SIGKILL);
    Drain(child.error.get(), said);
    Drain(child.output.get(), printed);
    for (pollfd& one : watched)
      if ((one.revents & POLLHUP) != 0) one.fd = -1;
    if (ready <= 0 || (watched[0].revents & POLLIN) != 0) break;
  }
  int status = -1;
  while (::waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  Drain(child.error.get(), said);
  Drain(child.output.get(), printed);
  return status;
}

}  // namespace

TrialRun::TrialRun(bool sandboxed) : sandboxed_(sandboxed) {
  std::string pattern = (std::filesystem::temp_directory_path() / "headrace-doctor-XXXXXX").string();
  if (::mkdtemp(pattern.data()) != nullptr) directory_ = pattern;
}

TrialRun::~TrialRun() {
  std::error_code ignored;
  if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

bool TrialRun::Write(const std::string& name, const std::string& text) const {
  return !directory_.empty() && WriteFileAtomically(directory_ + "/" + name, text).has_value();
}

TrialOutcome TrialRun::Shell(const std::string& command, const std::vector<std::string>& shown) const {
  if (directory_.empty()) return {false, "no temporary directory can be made", ""};
  jobs::Command inside;
  inside.arguments = {"/bin/sh", "-c", command};
  inside.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"HOME", "/tmp"}, {"TMPDIR", "/tmp"}};
  inside.directory = "/tmp";
  if (!sandboxed_) inside.directory = inside.environment["HOME"] = inside.environment["TMPDIR"] = directory_;
  jobs::SandboxOptions options;
  options.mounts = {{directory_, "/tmp", true}};
  options.read_only = shown;
  options.network = false;
  const auto child = jobs::StartChild(sandboxed_ ? jobs::Sandboxed(inside, options) : inside);
  if (!child) return {false, child.error().message(), ""};
  std::string said, printed;
  const int status = AwaitEnd(*child, said, printed);
  return {WIFEXITED(status) && WEXITSTATUS(status) == 0, LastLine(said), LastLine(printed)};
}

}  // namespace headrace::apps
