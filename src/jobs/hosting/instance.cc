#include "jobs/hosting/instance.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <sys/wait.h>

#include "base/file.h"
#include "jobs/sandbox/sandbox.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLastOutputLines = 12, kLongestKeptLine = 400;
constexpr int kStopLooks = 100;  // at 0.2 ms
constexpr const char* kModelInside = "/opt/ml/model";
constexpr const char* kRunInside = "/run/headrace";

// What TensorFlow Serving's container reads from its environment, as flags. Nothing else of the environment reaches the
// process.
struct EnvironmentFlag {
  const char *variable, *flag;
};
constexpr EnvironmentFlag kEnvironmentFlags[] = {
    {"SAGEMAKER_TFS_DEFAULT_MODEL_NAME", "--default_model"},
    {"SAGEMAKER_TFS_INTRA_OP_PARALLELISM", "--tensorflow_intra_op_parallelism"},
    {"SAGEMAKER_TFS_NUM_BATCH_THREADS", "--num_batch_threads"},
};

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

Command Instance::MakeCommand() const {
  const std::string run = options_.sandbox ? kRunInside : options_.run_directory;
  const std::string model = options_.sandbox ? kModelInside : options_.model_directory;
  Command command;
  command.arguments = {options_.headrace_binary,
                       "model-server",
                       "--discover",
                       model,
                       "--port_file",
                       run + "/port",
                       "--rest_api_port",
                       "0",
                       "--file_system_poll_wait_seconds",
                       "0",
                       "--tensorflow_intra_op_parallelism",
                       std::to_string(options_.cpus.size())};
  const auto& environment = variant_.model.environment;
  for (const auto& [variable, flag] : kEnvironmentFlags) {
    const auto set = environment.find(variable);
    if (set == environment.end() || set->second.empty()) continue;
    const bool number = std::string_view(flag) != "--default_model";
    if (number && (!IsNumber(set->second) || set->second == "0")) continue;
    if (const auto given = std::find(command.arguments.begin(), command.arguments.end(), flag);
        given != command.arguments.end()) {
      *std::next(given) = set->second;
    } else {
      command.arguments.push_back(std::string(flag) + "=" + set->second);
    }
  }
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
  return Sandboxed(command, sandbox);
}

Status Instance::Start(UnixMillis now) {
  std::error_code ignored;
  fs::remove_all(options_.run_directory, ignored);
  HEADRACE_TRY(MakeDirectories(options_.run_directory));
  if (const auto batching = BatchingText(variant_.model.environment); !batching.empty())
    HEADRACE_TRY(WriteFileAtomically(options_.run_directory + "/batching", batching));
  reaped_ = ended_by_signal_ = false;
  end_.clear();
  port_ = 0;
  last_lines_.clear();
  output_.emplace();
  error_.emplace();
  started_ = now;
  HEADRACE_ASSIGN(child_, StartChild(MakeCommand()));
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
  if (state_ == State::kStarting) LookForPort();
  if (!reaped_) Reap();
  if (!reaped_) return;
  state_ = State::kEnding;
  // A sandbox is gone when nobody holds the other ends of the pipes.
  if (child_.output || child_.error) return;
  const auto keep = [&](std::string_view line) { Keep(now, line); };
  output_->Finish(keep);
  error_->Finish(keep);
  child_ = Child();
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

void Instance::LookForPort() {
  const auto text = ReadFile(options_.run_directory + "/port", 64);
  if (!text) return;
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), port);
  if (error != std::errc() || port == 0) return;
  port_ = port;
  state_ = State::kListening;
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
}

}  // namespace headrace::jobs
