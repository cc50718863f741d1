#include "jobs/hosting/instance.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <sys/stat.h>
#include <sys/wait.h>

#include "base/beneath.h"
#include "base/file.h"
#include "jobs/hosting/model_threads.h"
#include "jobs/sandbox/sandbox.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLastOutputLines = 12, kLongestKeptLine = 400;
constexpr int kStopLooks = 100;  // at 0.2 ms
constexpr const char* kModelInside = "/opt/ml/model";
constexpr const char* kRunInside = "/run/headrace";

constexpr uint64_t kMemoryFiles = uint64_t{64} << 20;

// What TensorFlow Serving's container reads from its environment becomes flags: this, model_threads.h and batching.
// Nothing else of the environment reaches the process.
constexpr const char* kDefaultModel = "SAGEMAKER_TFS_DEFAULT_MODEL_NAME";

// batching parameters, in the container's words and in the file's.
struct BatchingParameter {
  const char *variable, *name;
};
constexpr BatchingParameter kBatching[] = {{"SAGEMAKER_TFS_MAX_BATCH_SIZE", "max_execution_batch_size"},
                                           {"SAGEMAKER_TFS_BATCH_TIMEOUT_MICROS", "batch_timeout_micros"},
                                           {"SAGEMAKER_TFS_MAX_ENQUEUED_BATCHES", "max_enqueued_batches"}};

bool IsNumber(const std::string& text) {
  return !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
}

std::string BatchingText(const std::map<std::string, std::string>& environment) {
  std::string text;
  for (const auto& [variable, name] : kBatching)
    if (const auto set = environment.find(variable); set != environment.end() && IsNumber(set->second))
      text += fmt::format("{} {{ value: {} }}\n", name, set->second);
  if (text.empty()) return text;
  // A container's requests may be larger than its batches.
  if (environment.count(kBatching[0].variable) == 0) text += "max_execution_batch_size { value: 1000 }\n";
  return text + "max_batch_size { value: 1000000000 }\nenable_large_batch_splitting { value: true }\n";
}

// Stopped, or ended already.
bool IsStopped(pid_t pid) {
  const auto text = ReadFile(fmt::format("/proc/{}/stat", pid), 4096);
  if (!text) return true;
  const size_t name_end = text->rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= text->size()) return true;
  const char state = (*text)[name_end + 2];
  return state == 'T' || state == 'Z' || state == 'X';
}

void CopyVariable(const char* name, std::map<std::string, std::string>& environment) {
  if (const char* value = std::getenv(name); value != nullptr) environment[name] = value;
}

}  // namespace

Instance::Instance(const Variant& variant, InstanceOptions options) : variant_(variant), options_(std::move(options)) {}

Command Instance::MakeCommand() {
  const std::string run = options_.sandbox ? kRunInside : options_.run_directory;
  const std::string model = options_.sandbox ? kModelInside : options_.model_directory;
  Command command;
  command.arguments = {options_.headrace_binary,
                       "model-server",
                       "--discover",
                       model,
                       "--rest_api_socket_path",
                       run + "/" + kSocketName,
                       "--file_system_poll_wait_seconds",
                       "0"};
  const auto& environment = variant_.model.environment;
  if (const auto name = environment.find(kDefaultModel); name != environment.end() && !name->second.empty())
    command.arguments.push_back("--default_model=" + name->second);
  const auto threads = ModelThreads::Of(environment, static_cast<int>(options_.cpus.size()));
  if (!threads.remark.empty()) Say(started_, threads.remark);
  for (auto& argument : threads.Arguments()) command.arguments.push_back(std::move(argument));
  if (fs::exists(options_.run_directory + "/batching"))
    command.arguments.push_back("--batching_parameters_file=" + run + "/batching");
  command.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"HOME", "/tmp"}};
  for (const char* name : {"LD_LIBRARY_PATH", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "TZ", "LANG"})
    CopyVariable(name, command.environment);
  command.cpus = options_.cpus;
  if (!options_.sandbox) return command;
  SandboxOptions sandbox;
  sandbox.mounts = {{options_.model_directory, kModelInside, false}, {options_.run_directory, kRunInside, true}};
  sandbox.read_only = {options_.headrace_binary};
  sandbox.hidden = options_.hidden;
  sandbox.host_name = options_.id;
  sandbox.network = false;
  sandbox.memory_files = kMemoryFiles;
  return Sandboxed(command, sandbox);
}

Status Instance::Start(UnixMillis now) {
  HEADRACE_TRY(RemoveTree(options_.run_directory));
  HEADRACE_TRY(MakeDirectories(options_.run_directory));
  std::error_code ignored;
  fs::permissions(options_.run_directory, fs::perms::owner_all, ignored);
  if (const auto batching = BatchingText(variant_.model.environment); !batching.empty())
    HEADRACE_TRY(WriteFileAtomically(options_.run_directory + "/batching", batching));
  reaped_ = ended_by_signal_ = false;
  end_.clear();
  last_lines_.clear();
  output_.emplace();
  error_.emplace();
  started_ = now;
  if (!options_.sandbox)
    Say(now, fmt::format("warning: the model server runs as a plain process, not in a sandbox: {}",
                         options_.no_sandbox_reason));
  for (const auto& note : variant_.model.notes) lines_.push_back({now, note});
  group_ = Cgroup(GroupLimits{options_.memory_bytes, options_.tasks});
  Command command = MakeCommand();
  command.groups = group_.entrances();
  HEADRACE_ASSIGN(child_, StartChild(command));
  state_ = State::kStarting;
  return {};
}

// A sandbox that is killed while it sets itself up may leave its child behind: it is stopped, then ends from within.
void Instance::Kill() {
  if (state_ == State::kIdle || state_ == State::kEnding || reaped_) return;
  if (options_.sandbox) {
    ::kill(child_.pid, SIGSTOP);
    for (int i = 0; i < kStopLooks && !IsStopped(child_.pid); ++i) ::usleep(200);
    for (const pid_t pid : Descendants(child_.pid)) ::kill(pid, SIGKILL);
  }
  ::kill(child_.pid, SIGKILL);
  state_ = State::kEnding;
}

TreeUsage Instance::Usage() const {
  if (state_ == State::kIdle || reaped_) return {};
  auto processes = Descendants(child_.pid);
  if (options_.sandbox)
    LeaveOutSandbox(child_.pid, processes);
  else
    processes.push_back(child_.pid);
  return UsageOf(processes);
}

std::string Instance::BeyondLimits() const {
  if (options_.memory_bytes == 0 || group_.limits_memory()) return "";
  const uint64_t used = Usage().resident_bytes;
  if (used <= options_.memory_bytes) return "";
  return fmt::format("out of memory: it has {} MiB, and its instance {} MiB", used >> 20, options_.memory_bytes >> 20);
}

void Instance::AddTo(std::vector<pollfd>& watched) const {
  if (state_ == State::kIdle) return;
  if (!reaped_) watched.push_back({child_.process.get(), POLLIN, 0});
  if (child_.output) watched.push_back({child_.output.get(), POLLIN, 0});
  if (child_.error) watched.push_back({child_.error.get(), POLLIN, 0});
}

void Instance::Attend(UnixMillis now) {
  if (state_ == State::kIdle) return;
  while (Read(child_.output, *output_, now)) {
  }
  while (Read(child_.error, *error_, now)) {
  }
  if (state_ == State::kStarting) LookForSocket();
  if (!reaped_) Reap();
  if (!reaped_) return;
  state_ = State::kEnding;
  // A sandbox is gone when nobody holds the other ends of the pipes.
  if (child_.output || child_.error) return;
  const auto keep = [&](std::string_view line) { Keep(now, line); };
  output_->Finish(keep);
  error_->Finish(keep);
  child_ = Child();
  group_ = Cgroup();
  state_ = State::kIdle;
}

// False when there is nothing to read now.
bool Instance::Read(Descriptor& pipe, TerminalLines& lines, UnixMillis now) {
  if (!pipe) return false;
  char buffer[1 << 16];
  const ssize_t n = ::read(pipe.get(), buffer, sizeof buffer);
  if (n > 0) lines.Feed({buffer, static_cast<size_t>(n)}, [&](std::string_view line) { Keep(now, line); });
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) pipe.Reset();
  return n > 0;
}

void Instance::Keep(UnixMillis now, std::string_view line) {
  lines_.push_back({now, std::string(line)});
  if (line.find_first_not_of(" \t") == std::string_view::npos) return;
  last_lines_.emplace_back(line.substr(0, kLongestKeptLine));
  if (last_lines_.size() > kLastOutputLines) last_lines_.pop_front();
}

// It appears under its name when it takes connections.
void Instance::LookForSocket() {
  struct stat status {};
  if (::lstat(socket().c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) state_ = State::kListening;
}

void Instance::Reap() {
  int status = 0;
  if (::waitpid(child_.pid, &status, WNOHANG) != child_.pid) return;
  reaped_ = true;
  int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  if (signal == 0 && code > 128 && code < 128 + 65) signal = code - 128;  // as the sandbox tells it
  ended_by_signal_ = signal != 0;
  const char* name = signal == 0 ? nullptr : ::sigabbrev_np(signal);
  end_ = signal == 0
             ? fmt::format("exit code {}", code)
             : fmt::format("killed by {}", name == nullptr ? std::to_string(signal) : "SIG" + std::string(name));
  if (signal == SIGKILL && group_.OomKills() > 0)
    end_ += fmt::format(": out of memory, the instance has {} MiB", options_.memory_bytes >> 20);
}

}  // namespace headrace::jobs
