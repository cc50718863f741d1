#include "apps/doctor/examine.h"

#include <filesystem>

#include <fcntl.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/platform/data_directory.h"
#include "apps/platform/listen_address.h"
#include "apps/platform/trial_run.h"
#include "apps/python/framework_trial.h"
#include "base/descriptor_limit.h"
#include "base/file.h"
#include "base/result.h"
#include "jobs/process/find_program.h"
#include "jobs/python/environments.h"
#include "jobs/python/framework.h"
#include "jobs/python/interpreter.h"
#include "jobs/runtime/installation.h"
#include "jobs/sandbox/sandbox.h"

namespace headrace::apps {
namespace {

// Whether a program ends with 0, its output unseen.
bool Succeeds(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t quiet;
  ::posix_spawn_file_actions_init(&quiet);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    ::posix_spawn_file_actions_addopen(&quiet, fd, "/dev/null", O_RDWR, 0);
  pid_t child = 0;
  const int failure = ::posix_spawnp(&child, arguments[0], &quiet, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&quiet);
  int status = -1;
  return failure == 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

Check CheckPort(const Settings& settings) {
  const auto address = ParseListenAddress("listen", settings.listen);
  if (!address) return {"port", Verdict::kFailed, address.error().message()};
  const DataDirectory directory(settings.data_dir);
  const auto server = directory.ReadAddress();
  if (server && directory.Claimed())
    return {"port", Verdict::kOk,
            fmt::format("{}: a server of this data directory runs (process {})", server->endpoint, server->pid)};
  if (address->ip.find(':') != std::string::npos) return {"port", Verdict::kOk, settings.listen + ": not tried"};
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in wanted{};
  wanted.sin_family = AF_INET;
  wanted.sin_port = htons(address->port);
  wanted.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&wanted), sizeof wanted) == 0)
    return {"port", Verdict::kOk, settings.listen + " is free"};
  return {"port", Verdict::kFailed, settings.listen + " is taken by another program; choose one with --listen"};
}

// The nearest folder above that is there: where the data directory is or would be made.
std::string Existing(std::filesystem::path path) {
  std::error_code ignored;
  while (!path.empty() && path != path.root_path() && !std::filesystem::exists(path, ignored))
    path = path.parent_path();
  return path.empty() ? "." : path.string();
}

Check CheckDataDirectory(const Settings& settings) {
  const std::string folder = Existing(settings.data_dir);
  if (::access(folder.c_str(), W_OK) != 0)
    return {"data directory", Verdict::kFailed, folder + " cannot be written; choose another --data-dir"};
  return {"data directory", Verdict::kOk, settings.data_dir + (folder == settings.data_dir ? "" : " will be made")};
}

Check CheckSpace(const Settings& settings) {
  constexpr double kGiB = 1 << 30;
  std::error_code error;
  const auto space = std::filesystem::space(Existing(settings.data_dir), error);
  const double free = static_cast<double>(space.available) / kGiB;
  const std::string found = fmt::format("{:.1f} GiB free", free);
  if (error || free < 1) return {"disk space", Verdict::kFailed, found + "; data and models need more"};
  return {"disk space", free < 5 ? Verdict::kWarning : Verdict::kOk, found};
}

// In the sandbox from here on, where there is one.
Check CheckSandbox(const Settings& settings, bool& works) {
  works = false;
  if (!settings.sandbox) return {"sandbox", Verdict::kWarning, "switched off: jobs see what the server's user sees"};
  const Status probed = jobs::ProbeBubblewrap();
  works = probed.has_value();
  if (works) return {"sandbox", Verdict::kOk, "bubblewrap works"};
  return {
      "sandbox", Verdict::kWarning,
      probed.error().message() +
          "; install bubblewrap, and let the kernel give user namespaces (sysctl kernel.unprivileged_userns_clone=1, "
          "or the container's limits)"};
}

Check CheckCompiler(const Settings& settings, const TrialRun& trial) {
  if (!Succeeds({settings.compiler, "--version"}))
    return {"compiler", Verdict::kWarning,
            settings.compiler + " is missing; it is wanted for training programs in C++"};
  trial.Write("trial.cpp", "#include <string>\nint main() { return std::string(\"a\").size() == 1 ? 0 : 1; }\n");
  std::vector<std::string> shown = PathsOfJobs(settings);
  std::string compiler = settings.compiler;
  std::error_code failed;
  if (const auto found = jobs::FindProgram(settings.compiler)) {
    compiler = *found;
    const auto prefix = std::filesystem::canonical(*found, failed).parent_path().parent_path().string();
    if (!failed && prefix.size() > 1 && !prefix.starts_with("/usr")) shown.push_back(prefix);
  }
  const auto tried = trial.Shell(fmt::format("'{}' -std=c++20 trial.cpp -o trial && ./trial", compiler), shown);
  if (tried.worked) return {"compiler", Verdict::kOk, settings.compiler + " compiles, as jobs see it"};
  return {"compiler", Verdict::kWarning,
          fmt::format("{} does not compile two lines as a job sees it: {}; install it below /usr (build-essential), or "
                      "name what it needs (--job-paths)",
                      settings.compiler, tried.said)};
}

Check CheckPython(const Settings& settings, const TrialRun& trial, const jobs::Interpreter& python) {
  if (python.program.empty())
    return {"python", Verdict::kWarning, settings.python + " is missing; it is wanted for training programs in Python"};
  std::vector<std::string> shown = PathsOfJobs(settings);
  shown.insert(shown.end(), python.paths.begin(), python.paths.end());
  const auto tried = trial.Shell(fmt::format("'{}' -c 'import ssl, sqlite3, zlib'", python.program), shown);
  if (tried.worked) return {"python", Verdict::kOk, python.program + " imports ssl and sqlite3, as jobs see it"};
  return {"python", Verdict::kWarning,
          fmt::format("{} does not run as a job sees it: {}; choose one that lies below /usr (--python), or name what "
                      "it needs (--job-paths)",
                      python.program, tried.said)};
}

// The registered environments, each tried as jobs run it, and what the default interpreter has.
std::vector<Check> CheckFrameworks(const Settings& settings, const TrialRun& trial, const jobs::Interpreter& python) {
  const auto registered = jobs::PythonEnvironments(DataDirectory(settings.data_dir).path()).Read();
  if (!registered) return {{"frameworks", Verdict::kFailed, registered.error().message()}};
  std::vector<Check> checks;
  const auto add = [&](const std::string& name, const jobs::Interpreter& interpreter,
                       const jobs::Framework& framework) {
    const auto tried = TryFramework(trial, interpreter, framework, PathsOfJobs(settings));
    checks.push_back({name, tried.worked ? Verdict::kOk : Verdict::kWarning,
                      tried.worked ? fmt::format("{} imports {} {}, as jobs see it", interpreter.program,
                                                 framework.module, tried.version)
                                   : fmt::format("{} does not import {} as a job sees it: {}", interpreter.program,
                                                 framework.module, tried.said)});
  };
  for (const auto& one : *registered) {
    const auto interpreter = jobs::ProbeInterpreter(one.interpreter);
    const auto* framework = jobs::FindFramework(one.framework);
    if (interpreter && framework != nullptr)
      add(one.name, *interpreter, *framework);
    else
      checks.push_back(
          {one.name, Verdict::kWarning,
           fmt::format("{}; headrace python remove {}",
                       interpreter ? "no framework " + one.framework : interpreter.error().message(), one.name)});
  }
  for (const auto& framework : jobs::Frameworks())
    if (python.Has(framework.module)) add("default", python, framework);
  if (checks.empty())
    checks.push_back({"frameworks", Verdict::kWarning,
                      "no Python here has TensorFlow, PyTorch, scikit-learn or XGBoost: headrace python add tensorflow "
                      "makes an environment for training programs in Python"});
  return checks;
}

Check CheckPip(const Settings& settings) {
  if (Succeeds({settings.python, "-m", "pip", "--version"}))
    return {"pip", Verdict::kOk, "jobs may bring requirements.txt"};
  return {"pip", Verdict::kWarning,
          settings.python + " has no pip (install python3-pip); it is wanted for requirements.txt and setup.py"};
}

Check CheckMpi() {
  if (Succeeds({"mpirun", "--version"})) return {"mpirun", Verdict::kOk, "jobs of several instances may use MPI"};
  return {"mpirun", Verdict::kWarning,
          "there is no mpirun (install openmpi-bin); it is wanted for jobs with sagemaker_mpi_enabled"};
}

Check CheckHelpers(const std::string& binary) {
  const auto installed = jobs::FindInstallation(binary);
  std::string missing;
  for (const auto& [path, use] : {std::pair{installed.supervisor, "the supervisor of a job"},
                                  std::pair{installed.init, "the first process of a job"},
                                  std::pair{installed.include_dir + "/headrace/keras.h", "programs in C++"},
                                  std::pair{installed.library_dir + "/libheadrace.so", "programs in C++"}})
    if (::access(path.c_str(), R_OK) != 0) missing += fmt::format("{}{} ({})", missing.empty() ? "" : ", ", path, use);
  if (missing.empty()) return {"installation", Verdict::kOk, "the programs that run jobs and the library are there"};
  return {"installation", Verdict::kFailed,
          missing + ": missing; install Headrace as a whole (cmake --install, the package)"};
}

// A job has a /tmp of its own, and what cleans /tmp takes installations along.
Check CheckPlaces(const Settings& settings, const std::string& binary, const jobs::Interpreter& python) {
  std::string found;
  const std::pair<const char*, std::string> places[] = {
      {"headrace", binary}, {"python", python.program}, {"the data directory", settings.data_dir}};
  for (const auto& [what, path] : places)
    if (path.starts_with("/tmp/") || path.starts_with("/var/tmp/"))
      found += fmt::format("{}{} is {}", found.empty() ? "" : ", ", what, path);
  if (found.empty()) return {"places", Verdict::kOk, "nothing lies below /tmp"};
  return {"places", Verdict::kWarning,
          found + ": what cleans /tmp removes it, and jobs have a /tmp of their own; move it, or try a job first"};
}

Check CheckDescriptors() {
  const size_t most = RaiseDescriptorLimit();
  if (most < 96)
    return {"descriptors", Verdict::kFailed,
            fmt::format("{} may be open, at least 96 are wanted (ulimit -Hn, LimitNOFILE=)", most)};
  return {"descriptors", most < 4096 ? Verdict::kWarning : Verdict::kOk,
          fmt::format("{} may be open{}", most,
                      most < 4096 ? "; more allow more connections (ulimit -Hn, LimitNOFILE=1048576)" : "")};
}

Check CheckCgroup() {
  if (::access("/sys/fs/cgroup/cgroup.controllers", R_OK) != 0)
    return {"cgroup", Verdict::kWarning,
            "no cgroup v2 here: a job's memory and processes are bounded by the next best means (boot with "
            "systemd.unified_cgroup_hierarchy=1)"};
  const std::string own = ReadFile("/proc/self/cgroup", 1 << 16).value_or("");
  const size_t at = own.find("0::");
  const std::string path =
      "/sys/fs/cgroup" + (at == std::string::npos ? "" : own.substr(at + 3, own.find('\n', at) - at - 3));
  if (::access((path + "/cgroup.procs").c_str(), W_OK) != 0)
    return {"cgroup", Verdict::kWarning,
            path +
                " is not ours to divide: a job's memory and processes are bounded by the next best means (run it as a "
                "service with Delegate=yes)"};
  return {"cgroup", Verdict::kOk, path};
}

}  // namespace

std::vector<Check> Examine(const Settings& settings) {
  std::error_code ignored;
  const std::string binary = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const jobs::Interpreter python = jobs::ProbeInterpreter(settings.python).value_or(jobs::Interpreter());
  bool sandboxed = false;
  const Check sandbox = CheckSandbox(settings, sandboxed);
  const TrialRun trial(sandboxed);
  std::vector<Check> checks{CheckPort(settings),
                            CheckDataDirectory(settings),
                            CheckSpace(settings),
                            CheckDescriptors(),
                            CheckCgroup(),
                            CheckHelpers(binary),
                            CheckPlaces(settings, binary, python),
                            sandbox,
                            CheckCompiler(settings, trial),
                            CheckPython(settings, trial, python),
                            CheckPip(settings),
                            CheckMpi()};
  for (auto& check : CheckFrameworks(settings, trial, python)) checks.push_back(std::move(check));
  return checks;
}

nlohmann::ordered_json ToJson(const std::vector<Check>& checks) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Check& check : checks)
    json.push_back({{"check", check.name}, {"verdict", NameOf(check.verdict)}, {"detail", check.detail}});
  return json;
}

const char* NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kFailed:
      return "failed";
  }
  return "";
}

}  // namespace headrace::apps
