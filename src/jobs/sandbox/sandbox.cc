#include "jobs/sandbox/sandbox.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jobs/process/process_tree.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

// What programs need of a system, where it exists. /opt is taken apart because the job's /opt/ml is mounted in it.
constexpr std::array kSystem = {"/usr",
                                "/bin",
                                "/sbin",
                                "/lib",
                                "/lib32",
                                "/lib64",
                                "/etc",
                                "/sys",
                                "/nix",
                                "/var/lib/dpkg",
                                "/run/systemd/resolve"};
// Readable by the owner only; a job of the same user could read them.
constexpr std::array kSecret = {"/etc/shadow", "/etc/shadow-", "/etc/gshadow",    "/etc/gshadow-",
                                "/etc/ssh",    "/etc/sudoers", "/etc/ssl/private"};

bool IsBelow(const std::string& path, const std::string& parent) {
  return path == parent || (path.starts_with(parent) && (parent.ends_with('/') || path[parent.size()] == '/'));
}

void ShowSystem(std::vector<std::string>& arguments) {
  std::error_code ignored;
  for (const char* path : kSystem) {
    if (fs::is_symlink(path, ignored))
      arguments.insert(arguments.end(), {"--symlink", fs::read_symlink(path, ignored).string(), path});
    else if (fs::exists(path, ignored))
      arguments.insert(arguments.end(), {"--ro-bind", path, path});
  }
  for (const char* path : kSecret) {
    if (fs::is_directory(path, ignored))
      arguments.insert(arguments.end(), {"--tmpfs", path});
    else if (fs::exists(path, ignored))
      arguments.insert(arguments.end(), {"--ro-bind", "/dev/null", path});
  }
  for (const auto& entry : fs::directory_iterator("/opt", ignored))
    if (entry.path() != "/opt/ml" && entry.path() != "/opt/headrace" && entry.is_directory(ignored))
      arguments.insert(arguments.end(), {"--ro-bind", entry.path(), entry.path()});
}

void ShowDevices(std::vector<std::string>& arguments) {
  arguments.insert(arguments.end(), {"--dev", "/dev", "--proc", "/proc"});
  // Root may write to these even without capabilities.
  for (const char* path : {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"})
    arguments.insert(arguments.end(), {"--ro-bind-try", path, path});
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/dev", ignored))
    if (entry.path().filename().string().starts_with("nvidia"))
      arguments.insert(arguments.end(), {"--dev-bind", entry.path(), entry.path()});
}

// Hidden paths that would be seen through one of the read-only ones.
void Hide(const SandboxOptions& options, std::vector<std::string>& arguments) {
  const auto is_shown = [&](const std::string& path) {
    const auto above = [&](const std::string& shown) { return IsBelow(path, shown); };
    return std::any_of(kSystem.begin(), kSystem.end(), above) || IsBelow(path, "/opt") ||
           std::any_of(options.read_only.begin(), options.read_only.end(), above);
  };
  for (const auto& path : options.hidden)
    if (is_shown(path) && fs::is_directory(path)) arguments.insert(arguments.end(), {"--tmpfs", path});
}

bool IsHidden(const SandboxOptions& options, const std::string& path) {
  return std::any_of(options.hidden.begin(), options.hidden.end(),
                     [&](const std::string& hidden) { return IsBelow(path, hidden); });
}

}  // namespace

Command Sandboxed(const Command& inside, const SandboxOptions& options) {
  std::vector<std::string> arguments = {"bwrap",           "--die-with-parent", "--unshare-pid",
                                        "--unshare-ipc",   "--unshare-uts",     "--hostname",
                                        options.host_name, "--cap-drop",        "ALL"};
  if (!options.network) arguments.push_back("--unshare-net");
  ShowSystem(arguments);
  ShowDevices(arguments);
  arguments.insert(arguments.end(), {"--dir", "/var/tmp", "--dir", "/run"});
  // In this order: interpreters may lie in the home directory, hidden paths in what is shown, and the job's own files
  // below hidden ones.
  if (!options.home.empty()) arguments.insert(arguments.end(), {"--bind", options.home, "/root"});
  for (const auto& path : options.read_only)
    if (fs::exists(path)) arguments.insert(arguments.end(), {"--ro-bind", path, path});
  Hide(options, arguments);
  for (const auto& path : options.read_only)  // certificates and the like, in the middle of what is hidden
    if (fs::exists(path) && IsHidden(options, path)) arguments.insert(arguments.end(), {"--ro-bind", path, path});
  for (const auto& mount : options.mounts)
    arguments.insert(arguments.end(), {mount.writable ? "--bind" : "--ro-bind", mount.source, mount.target});
  if (!inside.directory.empty()) arguments.insert(arguments.end(), {"--chdir", inside.directory});
  arguments.push_back("--");
  arguments.insert(arguments.end(), inside.arguments.begin(), inside.arguments.end());

  Command outside = inside;
  outside.arguments = std::move(arguments);
  outside.directory.clear();
  return outside;
}

void LeaveOutSandbox(pid_t monitor, std::vector<pid_t>& processes) {
  const auto inside = Descendants(monitor);
  std::erase_if(processes, [&](pid_t pid) { return pid == monitor || (!inside.empty() && pid == inside.front()); });
}

Status ProbeBubblewrap() {
  Command probe = Sandboxed({.arguments = {"true"}, .environment = {{"PATH", "/usr/bin:/bin"}}}, {});
  auto child = StartChild(probe);
  if (!child) return Fail(ErrorCode::kUnavailable, "bubblewrap: {}", child.error().message());
  pollfd ended{child->process.get(), POLLIN, 0};
  while (::poll(&ended, 1, -1) < 0 && errno == EINTR) {
  }
  int status = 0;
  while (::waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  std::string said(512, '\0');
  const ssize_t n = ::read(child->error.get(), said.data(), said.size());
  said.resize(n > 0 ? static_cast<size_t>(n) : 0);
  while (!said.empty() && said.back() == '\n') said.pop_back();
  return Fail(ErrorCode::kUnavailable, "bubblewrap cannot make a sandbox here: {}", said);
}

}  // namespace headrace::jobs
