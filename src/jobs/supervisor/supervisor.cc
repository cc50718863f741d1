#include "jobs/supervisor/supervisor.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/clock.h"
#include "base/file.h"
#include "jobs/archive/pack.h"
#include "jobs/archive/unpack.h"
#include "jobs/directory/job_description.h"
#include "jobs/directory/job_directory.h"
#include "jobs/runtime/compiler.h"
#include "jobs/runtime/contract.h"
#include "jobs/runtime/hyperparameters.h"
#include "jobs/staging/stage_files.h"
#include "jobs/supervisor/failure_reason.h"
#include "jobs/supervisor/heartbeat.h"
#include "jobs/supervisor/job_view.h"
#include "jobs/supervisor/pip_failure.h"
#include "jobs/supervisor/pipe_channels.h"
#include "jobs/supervisor/program_run.h"
#include "jobs/supervisor/reporter.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

volatile sig_atomic_t asked_by_signal = 0;

// A job that cannot go on: the FailureReason says why.
struct Failure {
  std::string reason;
};

// kUnavailable is what cancelled work returns; then there is a stop, not a failure.
bool IsCancelled(const Error& error) { return error.code() == ErrorCode::kUnavailable; }

// Whose fault it is decides the class that clients match.
std::string Classify(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kNotFound:
    case ErrorCode::kDataLoss:
      return "ClientError: " + error.message();
    default:
      return "InternalServerError: " + error.message();
  }
}

std::vector<std::string> Strings(const json& list) {
  std::vector<std::string> strings;
  for (const auto& element : list)
    if (element.is_string()) strings.push_back(element);
  return strings;
}

json Member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? json() : *found;
}

class Supervisor {
 public:
  Supervisor(const JobDescription& job, const JobDirectory& directory, Reporter& reporter)
      : job_(job), directory_(directory), reporter_(reporter), view_(job, directory) {
    deadline_ = job.deadline_ms != 0 ? job.deadline_ms : clock_.Now() + job.max_runtime_seconds * 1000;
  }

  void Run() {
    auto done = Phases();
    EndOfJob end;
    if (!done && !IsCancelled(done.error())) {
      end = {"Failed", "Failed", Truncate(done.error().message(), kLongestFailureReason)};
    } else if (timed_out_) {
      end = {"Stopped", "MaxRuntimeExceeded", ""};
    } else if (stopped_) {
      end = {"Stopped", "Stopped", ""};
    } else if (!done) {
      end = {"Failed", "Failed", Truncate("InternalServerError: " + done.error().message(), kLongestFailureReason)};
    } else {
      end = {"Completed", "Completed", ""};
    }
    if (!reporter_.status())
      end = {"Failed", "Failed",
             "InternalServerError: the job's log could not be written: " + reporter_.status().error().message()};
    SayPhases();
    reporter_.End(end);
  }

 private:
  // Errors from here are FailureReasons as they stand, or kUnavailable.
  Status Phases() {
    const Heartbeat heartbeat(reporter_, clock_, job_.heartbeat_millis);
    HEADRACE_TRY(Classified(Prepare()));
    reporter_.Phase("Downloading", "Downloading input data");
    HEADRACE_TRY(Classified(Stage()));
    reporter_.Phase("Training", "Downloading the training image");
    HEADRACE_ASSIGN(auto command, Classified(PrepareProgram()));
    reporter_.Phase("Training", "Training image download completed. Training in progress.");
    HEADRACE_ASSIGN(const auto end, Classified(RunTheProgram(std::move(command))));
    return Finish(end);
  }

  template <typename T>
  static Result<T> Classified(Result<T> result) {
    if (result || IsCancelled(result.error()) || IsReason(result.error())) return result;
    return Fail(result.error().code(), "{}", Classify(result.error()));
  }
  static bool IsReason(const Error& error) {
    return error.message().starts_with("AlgorithmError: ") || error.message().starts_with("ClientError: ");
  }

  bool StopRequested() {
    const auto now = clock_.Now();
    if (stopped_ || timed_out_) return true;
    if (asked_by_signal != 0 || directory_.StopRequested()) stopped_ = true;
    if (!stopped_ && now >= deadline_) timed_out_ = true;
    return stopped_ || timed_out_;
  }

  Status Prepare() {
    HEADRACE_TRY(view_.Check());
    if (fs::exists(directory_.program_started())) {  // an earlier attempt's files may have been changed
      std::error_code ignored;
      fs::remove_all(directory_.host(), ignored);
      fs::remove_all(directory_.artifacts(), ignored);
    }
    for (const auto& path : {directory_.ml(), directory_.tmp(), directory_.home(), directory_.tools(),
                             directory_.scratch(), directory_.artifacts()})
      HEADRACE_TRY(MakeDirectories(path));
    ::chmod(directory_.tmp().c_str(), 01777);
    HEADRACE_TRY(WriteHosts());
    HEADRACE_TRY(WriteTools());
    HEADRACE_TRY(WriteContractFiles(job_, directory_.ml()));
    if (!job_.bubblewrap && job_.request.value("EnableNetworkIsolation", false))
      return Fail(ErrorCode::kFailedPrecondition,
                  "ClientError: EnableNetworkIsolation needs a sandbox, and there is none here: {}",
                  job_.no_bubblewrap_reason);
    if (!job_.bubblewrap)
      reporter_.Say(
          "warning: the job runs as a plain process, not in a sandbox, and can do what the server's user can: {}; "
          "/opt/ml is {}{}",
          job_.no_bubblewrap_reason, view_.ml(),
          view_.ml() == "/opt/ml" ? "" : ", where programs that name /opt/ml itself do not look: a sandbox would help");
    return {};
  }

  Status WriteHosts() {
    std::string hosts = "127.0.0.1 localhost\n::1 localhost ip6-localhost\n";
    for (const auto& host : job_.hosts) hosts += "127.0.0.1 " + host + "\n";
    return WriteBriefly(directory_.host() + "/hosts", hosts);
  }

  // What a job finds first on its PATH: this program, and the configured interpreter, wherever they lie.
  Status WriteTools() {
    std::error_code unknown;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", unknown);
    if (!unknown) HEADRACE_TRY(WriteTool("headrace", fmt::format("'{}'", self.string())));
    if (job_.python.empty()) return {};
    for (const auto& [name, module] :
         {std::pair{"python3", ""}, {"python", ""}, {"pip3", " -m pip"}, {"pip", " -m pip"}})
      HEADRACE_TRY(WriteTool(name, fmt::format("'{}'{}", job_.python, module)));
    return {};
  }

  Status WriteTool(const std::string& name, const std::string& command) {
    const auto path = directory_.tools() + "/" + name;
    HEADRACE_TRY(WriteBriefly(path, fmt::format("#!/bin/sh\nexec {} \"$@\"\n", command), 0755));
    return {};
  }

  // ---- Downloading

  StagingOptions Staging() {
    return {.threads = std::clamp(static_cast<int>(std::thread::hardware_concurrency()) * 2, 2, 16),
            .scratch = directory_.scratch(),
            .cancelled = [this] { return StopRequested(); }};
  }

  Status Stage() {
    const auto data = directory_.ml() + "/input/data/";
    for (const auto& channel : job_.channels) {
      if (channel.manifest) HEADRACE_TRY(StageManifest(channel));
      if (channel.mode == "Pipe") continue;
      if (channel.mode == "FastFile" && view_.sandboxed()) {
        HEADRACE_TRY(LinkChannel(channel));
        continue;
      }
      const auto begin = clock_.Now();
      HEADRACE_ASSIGN(const auto totals, StageFiles(channel.objects, data + channel.name, Staging()));
      const auto kept = totals.kept == 0 ? "" : fmt::format(", {} of them from an earlier attempt", totals.kept);
      reporter_.Say("channel {}: {} files, {} in {} ms{}", channel.name, totals.files, FormatBytes(totals.bytes),
                    clock_.Now() - begin, kept);
    }
    return StageCheckpoints();
  }

  Status StageManifest(const InputChannel& channel) {
    InputObject manifest = *channel.manifest;
    manifest.name = channel.name + "-manifest";
    HEADRACE_ASSIGN([[maybe_unused]] const auto totals,
                    StageFiles({manifest}, directory_.ml() + "/input/data", Staging()));
    return {};
  }

  // FastFile: nothing is copied; the program sees the objects themselves, read-only.
  Status LinkChannel(const InputChannel& channel) {
    const auto target = directory_.ml() + "/input/data/" + channel.name,
               links = directory_.host() + "/fastfile/" + channel.name;
    HEADRACE_TRY(MakeDirectories(target));
    HEADRACE_TRY(MakeDirectories(links));
    std::vector<InputObject> to_copy;
    for (const auto& object : channel.objects) {
      if (!IsSafeRelativePath(object.name))
        return Fail(ErrorCode::kInvalidArgument, "the object {} cannot be a file: its name below the prefix is '{}'",
                    object.key, object.name);
      const auto path = links + "/" + object.name;
      HEADRACE_TRY(MakeDirectories(fs::path(path).parent_path()));
      if (::link(object.blob.c_str(), path.c_str()) != 0 && errno != EEXIST) to_copy.push_back(object);
    }
    HEADRACE_ASSIGN(const auto totals, StageFiles(to_copy, links, Staging()));
    view_.Show(links, view_.ml() + "/input/data/" + channel.name, false);
    reporter_.Say("channel {}: {} files to be read on demand ({} copied)", channel.name, channel.objects.size(),
                  totals.files);
    return {};
  }

  Status StageCheckpoints() {
    if (!job_.checkpoints) return {};
    const auto& path = job_.checkpoints->path;
    std::string place = directory_.ml() + "/checkpoints";
    if (path.starts_with("/opt/ml/") && IsSafeRelativePath(path.substr(8))) {
      place = directory_.ml() + "/" + path.substr(8);
    } else if (view_.sandboxed()) {
      place = directory_.host() + "/checkpoints";
      view_.Show(place, path, true);
    }
    HEADRACE_ASSIGN(const auto totals, StageFiles(job_.checkpoints->objects, place, Staging()));
    if (totals.files > 0)
      reporter_.Say("checkpoints: {} files, {} restored to {}", totals.files, FormatBytes(totals.bytes), path);
    return {};
  }

  // ---- Training: from the request to a command

  Result<Command> PrepareProgram() {
    const json algorithm = Member(job_.request, "AlgorithmSpecification");
    auto arguments = Strings(Member(algorithm, "ContainerEntrypoint"));
    const auto more = Strings(Member(algorithm, "ContainerArguments"));
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto parameters = DecodeHyperparameters(Member(job_.request, "HyperParameters"));
    Program program{parameters.Text("sagemaker_program"), parameters.Text("sagemaker_submit_directory"),
                    ToArguments(parameters.user)};
    if (!program.module_dir.empty()) HEADRACE_TRY(UnpackSource(program.module_dir));

    Command command;
    if (!arguments.empty()) {
      command.arguments = std::move(arguments);
    } else if (!program.entry_point.empty()) {
      HEADRACE_ASSIGN(command.arguments, PrepareEntryPoint(program));
    } else {
      return Fail(ErrorCode::kInvalidArgument,
                  "there is nothing to run: images are not executed here, so the job needs the hyperparameters "
                  "sagemaker_program and "
                  "sagemaker_submit_directory, or AlgorithmSpecification.ContainerEntrypoint");
    }
    command.environment = Environment(program);
    command.directory = view_.code();
    return command;
  }

  std::map<std::string, std::string> Environment(const Program& program) const {
    auto variables = ContractVariables(job_, program, view_.ml());
    for (const auto& [name, value] : view_.Surroundings()) variables.emplace(name, value);
    if (InVirtualEnvironment()) {
      variables.emplace("PIP_TARGET", view_.ml() + "/packages");
    } else {
      variables.emplace("PIP_USER", "1");
      variables.emplace("PIP_BREAK_SYSTEM_PACKAGES", "1");
    }
    variables.emplace("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    variables.emplace("PIP_RETRIES", "2");  // an index that is out of reach is told of in seconds
    variables.emplace("PIP_ROOT_USER_ACTION", "ignore");
    return variables;
  }

  bool InVirtualEnvironment() const {
    return fs::exists(fs::path(job_.python).parent_path().parent_path() / "pyvenv.cfg");
  }

  // Where a path below the program's /opt/ml lies on this machine.
  std::string OnThisMachine(const std::string& path) const {
    constexpr std::string_view kMl = "/opt/ml/";
    return path.starts_with(kMl) ? directory_.ml() + "/" + path.substr(kMl.size()) : path;
  }

  Status UnpackSource(const std::string& uri) {
    const auto code = directory_.ml() + "/code";
    if (job_.source) return Unpack(job_.source->blob, uri, code);
    const auto path = OnThisMachine(uri);
    if (path == uri && !uri.starts_with(directory_.ml() + "/"))
      return Fail(ErrorCode::kInvalidArgument,
                  "sagemaker_submit_directory: found '{}', wanted an s3:// URI or a path below /opt/ml", uri);
    if (fs::is_directory(path)) return CopyTree(path, code);
    if (!fs::is_regular_file(path))
      return Fail(ErrorCode::kNotFound, "sagemaker_submit_directory: there is no {}", uri);
    return Unpack(path, uri, code);
  }

  static Status Unpack(const std::string& archive, const std::string& uri, const std::string& code) {
    if (auto unpacked = UnpackArchive(archive, code); !unpacked)
      return Fail(ErrorCode::kInvalidArgument, "sagemaker_submit_directory {}: {}", uri, unpacked.error().message());
    return {};
  }

  Result<std::vector<std::string>> PrepareEntryPoint(const Program& program) {
    const auto& name = program.entry_point;
    const auto path = directory_.ml() + "/code/" + name;
    if (!IsSafeRelativePath(name) || !fs::is_regular_file(path))
      return Fail(ErrorCode::kInvalidArgument, "sagemaker_program: there is no '{}' in the source; there is: {}", name,
                  FilesOfSource());
    std::vector<std::string> arguments;
    if (IsCppSource(name)) {
      HEADRACE_ASSIGN(arguments, CompileProgram(name));
    } else if (name.ends_with(".py")) {
      HEADRACE_ASSIGN(arguments, PreparePython(program));
    } else {
      ::chmod(path.c_str(), 0755);
      std::string line = "./" + name;  // as the toolkit runs commands
      for (const auto& argument : program.arguments) line += " " + Quoted(argument);
      return std::vector<std::string>{"/bin/sh", "-c", line};
    }
    arguments.insert(arguments.end(), program.arguments.begin(), program.arguments.end());
    return arguments;
  }

  std::string FilesOfSource() const {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(directory_.ml() + "/code", ignored))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    std::string list;
    for (size_t i = 0; i < names.size() && i < 20; ++i) list += (i == 0 ? "" : ", ") + names[i];
    return names.empty() ? "nothing" : list;
  }

  static std::string Quoted(const std::string& text) {
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
    return quoted + "'";
  }

  Result<std::vector<std::string>> CompileProgram(const std::string& name) {
    const CompileRequest request{.source_dir = directory_.ml() + "/code",
                                 .entry_point = name,
                                 .compiler = job_.compiler,
                                 .installation = {job_.include_dir, job_.library_dir, job_.cmake_dir, ""},
                                 .cache_dir = job_.cache_dir,
                                 .parallel = static_cast<int>(std::max<size_t>(job_.cpus.size(), 1))};
    const auto begin = clock_.Now();
    bool told = false;
    const RunCompiler run = [&](const Command& command, const std::string& build) -> Result<bool> {
      if (!told) reporter_.Phase("Training", "Compiling " + name);
      told = true;
      HEADRACE_ASSIGN(const auto end, RunStep(view_.WrapTool(command, {request.source_dir}, {build})));
      return end.succeeded();
    };
    auto compiled = Compile(request, run, [this] { return StopRequested(); });
    if (!compiled) {
      if (compiled.error().code() != ErrorCode::kInvalidArgument)
        return tl::unexpected<Error>(std::move(compiled.error()));
      return Fail(ErrorCode::kInvalidArgument, "{}", CompileFailure(name, compiled.error().message()));
    }
    reporter_.Say("{} {} in {} ms", name, compiled->from_cache ? "compiled before, found" : "compiled",
                  clock_.Now() - begin);
    const auto directory = fs::path(compiled->path).parent_path().string();
    return std::vector<std::string>{view_.Show(directory, "/opt/headrace/program", false) + "/program"};
  }

  std::string CompileFailure(const std::string& name, const std::string& message) const {
    std::string reason = fmt::format("AlgorithmError: {} does not compile: {}", name, message);
    // The first errors say most, not the last.
    for (const auto& line : reporter_.LastLines())
      if (line.find("error") != std::string::npos || reason.find('\n') != std::string::npos) reason += "\n" + line;
    return Truncate(std::move(reason), kLongestFailureReason);
  }

  Result<std::vector<std::string>> PreparePython(const Program& program) {
    if (job_.python.empty())
      return Fail(ErrorCode::kInvalidArgument, "{}: no Python interpreter is configured", program.entry_point);
    const auto code = directory_.ml() + "/code";
    if (fs::exists(code + "/requirements.txt")) HEADRACE_TRY(PipInstall(program, {"-r", "requirements.txt"}));
    if (fs::exists(code + "/setup.py")) {
      std::vector<std::string> what = {"."};
      // Without a pyproject.toml nobody has said what the build needs, and fetching setuptools anew needs an index.
      if (!fs::exists(code + "/pyproject.toml")) {
        HEADRACE_ASSIGN(const bool can_build, CanBuildPackages(program));
        if (can_build) what.emplace_back("--no-build-isolation");
      }
      HEADRACE_TRY(PipInstall(program, what));
      auto module = program.entry_point.substr(0, program.entry_point.size() - 3);
      std::replace(module.begin(), module.end(), '/', '.');
      return std::vector<std::string>{job_.python, "-m", module};
    }
    return std::vector<std::string>{job_.python, program.entry_point};
  }

  // Whether the interpreter has setuptools, and what makes a wheel with it: setuptools itself since its version 70.
  Result<bool> CanBuildPackages(const Program& program) {
    Command command;
    command.arguments = {
        job_.python, "-c",
        "import sys\nfrom importlib.util import find_spec as find\n"
        "sys.exit(not (find('setuptools') and (find('wheel') or find('setuptools.command.bdist_wheel'))))"};
    command.environment = Environment(program);
    command.directory = view_.code();
    HEADRACE_ASSIGN(const auto end, RunStep(view_.Wrap(std::move(command))));
    return end.succeeded();
  }

  Status PipInstall(const Program& program, const std::vector<std::string>& what) {
    reporter_.Phase("Training", "Installing Python packages");
    Command command;
    command.arguments = {job_.python, "-m", "pip", "install"};
    command.arguments.insert(command.arguments.end(), what.begin(), what.end());
    command.environment = Environment(program);
    command.directory = view_.code();
    HEADRACE_ASSIGN(const auto end, RunStep(view_.Wrap(std::move(command))));
    if (end.succeeded()) return {};
    return Fail(ErrorCode::kInvalidArgument, "{}",
                Truncate(fmt::format("AlgorithmError: pip install {} failed: {}", fmt::join(what, " "),
                                     PipFailure(reporter_.LastLines())),
                         kLongestFailureReason));
  }

  // A command that prepares the program. kUnavailable when the job was stopped meanwhile.
  Result<ProgramEnd> RunStep(const Command& command) {
    RunOptions options = Limits();
    options.grace_seconds = std::min(options.grace_seconds, 5);
    options.sample_millis = 0;
    HEADRACE_ASSIGN(const auto end, RunProgram(command, true, options, reporter_, clock_));
    if (end.stopped || end.timed_out) return Fail(ErrorCode::kUnavailable, "stopped");
    return end;
  }

  RunOptions Limits() {
    RunOptions options;
    options.sandboxed = view_.sandboxed();
    options.memory_bytes = job_.memory_bytes;
    options.deadline = 0;  // StopRequested knows it
    options.grace_seconds = job_.stop_grace_seconds;
    options.sample_millis = job_.resource_sample_millis;
    options.disk_path = directory_.path();
    options.stop_requested = [this] { return StopRequested(); };
    return options;
  }

  // ---- Training: the program itself

  Result<ProgramEnd> RunTheProgram(Command inside) {
    HEADRACE_TRY(WriteBriefly(directory_.program_started(), ""));
    if (StopRequested()) return Fail(ErrorCode::kUnavailable, "stopped");
    RunOptions options = Limits();
    options.on_stopping = [this] {
      if (!stopped_ && !timed_out_) return;
      reporter_.Phase("Stopping", timed_out_ ? "MaxRuntimeInSeconds is over: stopping the training job"
                                             : "Stopping the training job");
    };
    PipeChannels pipes(job_, directory_, reporter_, clock_);
    HEADRACE_TRY(pipes.Start());
    options.failed_meanwhile = [&pipes] { return pipes.Watch(); };
    reporter_.Started();
    HEADRACE_ASSIGN(auto end, RunProgram(view_.Wrap(std::move(inside)), true, options, reporter_, clock_));
    pipes.Stop();
    reporter_.Exit(end.exit_code, end.signal, end.peak_bytes, end.out_of_memory);
    if (end.killed)
      reporter_.Say("the program did not end within {} s of SIGTERM and was killed", job_.stop_grace_seconds);
    return end;
  }

  // ---- Uploading

  Status Finish(const ProgramEnd& end) {
    const bool failed = !end.succeeded() && !stopped_ && !timed_out_;
    reporter_.Phase("Uploading", "Uploading generated training model");
    Status packed;
    if (!failed) packed = Classified(Pack("/model", "model"));
    if (packed) packed = Classified(Pack("/output/data", "output"));
    if (!failed && end.failure.empty()) return packed;
    if (!packed) reporter_.Say("the output could not be packed: {}", packed.error().message());
    const auto resources = Member(job_.request, "ResourceConfig");
    return Fail(ErrorCode::kFailedPrecondition, "{}",
                FailureReason({.end = end,
                               .failure_file = FailureFile(),
                               .last_lines = reporter_.LastLines(),
                               .memory_limit = job_.memory_bytes,
                               .instance_type = resources.is_object() ? resources.value("InstanceType", "") : ""}));
  }

  Status Pack(const std::string& below_ml, const std::string& name) {
    const auto directory = directory_.ml() + below_ml;
    // The program may have put anything there, a link to elsewhere too.
    if (!directory_.OpenBelowHost("ml" + below_ml, O_PATH | O_DIRECTORY) || !HasEntries(directory)) return {};
    const json output = Member(job_.request, "OutputDataConfig");
    const bool archive = !output.is_object() || output.value("CompressionType", "GZIP") != "NONE";
    return archive ? PackDirectory(directory, directory_.artifacts() + "/" + name + ".tar.gz")
                   : CopyTree(directory, directory_.artifacts() + "/" + name);
  }

  std::string FailureFile() const {
    const auto file = directory_.OpenBelowHost("ml/output/failure", O_RDONLY | O_NONBLOCK);
    std::string text(4 * kLongestFailureReason, '\0');
    const ssize_t n = file ? ::read(file.get(), text.data(), text.size()) : 0;
    text.resize(n > 0 ? static_cast<size_t>(n) : 0);
    std::string valid;
    TerminalLines lines;  // valid UTF-8 without control characters
    const auto emit = [&](std::string_view line) { valid.append(line).append("\n"); };
    lines.Feed(text, emit);
    lines.Finish(emit);
    return valid;
  }

  void SayPhases() {
    std::string text;
    for (const auto& [name, millis] : reporter_.PhaseTimes())
      text += fmt::format("{}{} {} ms", text.empty() ? "" : ", ", name, millis);
    if (!text.empty()) reporter_.Say("phases: {}", text);
  }

  const JobDescription& job_;
  const JobDirectory& directory_;
  Reporter& reporter_;
  SystemClock clock_;
  JobView view_;
  UnixMillis deadline_ = 0;
  bool stopped_ = false, timed_out_ = false;
};

void Detach() {
  ::setsid();
  ::umask(022);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  struct sigaction action {};
  action.sa_handler = [](int) { asked_by_signal = 1; };
  for (const int signal : {SIGTERM, SIGINT}) ::sigaction(signal, &action, nullptr);
  for (const int signal : {SIGPIPE, SIGHUP}) ::signal(signal, SIG_IGN);
}

}  // namespace

Status Supervise(const std::string& path) {
  const JobDirectory directory(path);
  HEADRACE_ASSIGN(const auto lock, directory.Lock());
  Detach();
  HEADRACE_ASSIGN(const auto text, ReadFile(directory.description()));
  HEADRACE_ASSIGN(const auto job, ParseJobDescription(text));
  const SystemClock clock;
  HEADRACE_ASSIGN(const auto reporter, Reporter::Create(directory, job.attempt, clock));
  Supervisor(job, directory, *reporter).Run();
  return {};
}

}  // namespace headrace::jobs
