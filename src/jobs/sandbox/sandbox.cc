#include "jobs/sandbox/sandbox.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jobs/process/find_program.h"
#include "jobs/process/process_tree.h"
#include "jobs/sandbox/mount_points.h"
#include "jobs/sandbox/seccomp.h"
#include "jobs/sandbox/system_view.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

// Where bubblewrap itself runs, nothing of the job's is looked at; it needs no more than this.
const std::map<std::string, std::string> kOutside = {{"PATH", "/usr/bin:/bin"}};
constexpr int kFirstDescriptor = 4;  // of those that a command has besides the first four

Result<std::string> Bubblewrap() {
  for (const char* path : {"/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"})
    if (::access(path, X_OK) == 0) return std::string(path);
  return FindProgram("bwrap");
}

// Bubblewrap's arguments, and the texts that it reads from descriptors.
class Arguments {
 public:
  // `first_text`: the descriptor of the first text.
  explicit Arguments(int first_text) : first_text_(first_text) {}

  void Add(std::initializer_list<std::string> more) { words_.insert(words_.end(), more.begin(), more.end()); }
  void Add(const std::vector<std::string>& more) { words_.insert(words_.end(), more.begin(), more.end()); }
  // `option` with the descriptor of a text.
  void AddText(const std::string& option, std::string text) {
    Add({option, std::to_string(first_text_ + static_cast<int>(texts_.size()))});
    texts_.push_back(std::move(text));
  }
  std::vector<std::string> TakeWords() { return std::move(words_); }
  std::vector<std::string> TakeTexts() { return std::move(texts_); }

 private:
  const int first_text_;
  std::vector<std::string> words_, texts_;
};

// For --args: everybody on the machine can read command lines. Words end at a zero byte, so whatever stands behind one
// in a variable must not become a word of its own.
std::string Variables(const std::map<std::string, std::string>& environment) {
  std::string text("--clearenv");
  text += '\0';
  for (const auto& [name, value] : environment) {
    std::string variable = name + "=" + value;
    variable.resize(std::min(variable.find('\0'), variable.size()));
    const auto equals =
        variable.find('=');  // a name may hold one: the kernel would take it for the end of the name, too
    if (equals == 0 || equals == std::string::npos) continue;
    variable[equals] = '\0';
    text.append("--setenv").append(1, '\0').append(variable).append(1, '\0');
  }
  return text;
}

bool IsHidden(const SandboxOptions& options, const std::string& path) {
  return std::any_of(options.hidden.begin(), options.hidden.end(),
                     [&](const std::string& hidden) { return IsBelow(path, hidden); });
}

// Hidden paths that would be seen through one of the read-only ones.
void Hide(const SandboxOptions& options, std::vector<std::string> shown, Arguments& arguments) {
  shown.insert(shown.end(), options.read_only.begin(), options.read_only.end());
  for (const auto& path : options.hidden)
    if (std::any_of(shown.begin(), shown.end(), [&](const auto& above) { return IsBelow(path, above); }) &&
        fs::is_directory(path))
      arguments.Add({"--tmpfs", path});
}

// Whether a mount of `tree` shows `path` already. Not when a part of it is hidden, when one of the job's own mounts
// comes in between, or when a link on the way leads elsewhere.
bool Shows(const std::string& tree, const std::string& path, const SandboxOptions& options) {
  if (path == tree) return true;
  std::error_code failed;
  if (!IsBelow(path, tree) || IsHidden(options, path) || fs::canonical(path, failed) != path) return false;
  return std::none_of(options.mounts.begin(), options.mounts.end(),
                      [&](const Mount& mount) { return IsBelow(mount.target, tree) && IsBelow(path, mount.target); });
}

// The read-only paths that are there, without those that others show: each mount costs every sandbox time at its start.
std::vector<std::string> ReadOnlyTrees(const SandboxOptions& options) {
  std::vector<std::string> trees;
  for (const auto& path : options.read_only) {
    if (!fs::exists(path)) continue;
    if (std::any_of(trees.begin(), trees.end(), [&](const auto& tree) { return Shows(tree, path, options); })) continue;
    std::erase_if(trees, [&](const auto& tree) { return Shows(path, tree, options); });
    trees.push_back(path);
  }
  return trees;
}

// In this order: interpreters may lie in the home directory, hidden paths in what is shown, the job's own files below
// hidden ones, and interpreters below what the job's own files would cover, as /tmp.
void ShowFiles(const SandboxOptions& options, const SystemView& system, Arguments& arguments) {
  const auto paths = ReadOnlyTrees(options);
  if (!options.home.empty()) arguments.Add({"--bind", options.home, "/root"});
  for (const auto& path : paths) arguments.Add({"--ro-bind", path, path});
  Hide(options, system.roots, arguments);
  for (const auto& path : paths)  // certificates and the like, in the middle of what is hidden
    if (IsHidden(options, path)) arguments.Add({"--ro-bind", path, path});
  for (const auto& mount : options.mounts)
    arguments.Add({mount.writable ? "--bind" : "--ro-bind", mount.source, mount.target});
  for (const auto& path : paths)
    if (std::any_of(options.mounts.begin(), options.mounts.end(),
                    [&](const Mount& mount) { return path != mount.source && IsBelow(path, mount.target); }))
      arguments.Add({"--ro-bind", path, path});
}

}  // namespace

Command Sandboxed(const Command& inside, const SandboxOptions& options) {
  const auto system = MakeSystemView();
  Arguments arguments(kFirstDescriptor + static_cast<int>(inside.more_descriptors.size()));
  arguments.Add({Bubblewrap().value_or("/usr/bin/bwrap"), "--die-with-parent", "--unshare-pid", "--unshare-ipc",
                 "--unshare-uts", "--hostname", options.host_name, "--cap-drop", "ALL"});
  if (!options.network) arguments.Add({"--unshare-net"});
  arguments.AddText("--args", Variables(inside.environment));
  if (auto filter = SystemCallFilter(); !filter.empty()) arguments.AddText("--seccomp", std::move(filter));
  arguments.Add(system.arguments);
  for (const auto& file : system.made) {
    arguments.Add({"--perms", "0644"});
    arguments.AddText("--file", file.text);
    arguments.Add({file.path});
  }
  arguments.Add({"--dir", "/var/tmp", "--dir", "/run"});
  if (options.memory_files != 0)
    arguments.Add({"--perms", "1777", "--size", std::to_string(options.memory_files), "--tmpfs", "/tmp"});
  ShowFiles(options, system, arguments);
  arguments.Add({"--remount-ro", "/"});
  if (!inside.directory.empty()) arguments.Add({"--chdir", inside.directory});
  arguments.Add({"--"});
  arguments.Add(inside.arguments);

  Command outside = inside;
  outside.arguments = arguments.TakeWords();
  outside.texts = arguments.TakeTexts();
  outside.environment = kOutside;
  outside.directory.clear();
  outside.prepare = [options] { return MakeMountPoints(options); };
  return outside;
}

void LeaveOutSandbox(pid_t monitor, std::vector<pid_t>& processes) {
  const auto inside = Descendants(monitor);
  std::erase_if(processes, [&](pid_t pid) { return pid == monitor || (!inside.empty() && pid == inside.front()); });
}

Status ProbeBubblewrap() {
  if (const auto program = Bubblewrap(); !program)
    return Fail(ErrorCode::kUnavailable, "bubblewrap is missing (install the package bubblewrap): {}",
                program.error().message());
  const Command probe = Sandboxed({.arguments = {"/bin/sh", "-c", ":"}, .environment = kOutside},
                                  {.network = false, .memory_files = 1 << 20});
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
