#include "apps/doctor_command.h"

#include <filesystem>
#include <iostream>

#include <fcntl.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/command.h"
#include "apps/data_directory.h"
#include "apps/listen_address.h"
#include "apps/settings.h"
#include "base/result.h"

namespace headrace::apps {
namespace {

enum class Verdict { kOk, kWarning, kFailed };

struct Check {
  std::string name;
  Verdict verdict;
  std::string detail;  // what was found; what to do where it is not ok
};

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
  if (server && server->pid > 0 && ::kill(server->pid, 0) == 0)
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

Check CheckSandbox(const Settings& settings) {
  if (!settings.sandbox) return {"sandbox", Verdict::kWarning, "switched off: jobs see what the server's user sees"};
  if (!Succeeds({"bwrap", "--version"}))
    return {"sandbox", Verdict::kWarning, "bwrap is missing; install bubblewrap, or jobs run as plain processes"};
  if (!Succeeds({"bwrap", "--ro-bind", "/", "/", "--unshare-all", "--proc", "/proc", "--dev", "/dev", "true"}))
    return {
        "sandbox", Verdict::kWarning,
        "the kernel gives no user namespaces (sysctl kernel.unprivileged_userns_clone, or a container's limits); jobs "
        "run as plain processes"};
  return {"sandbox", Verdict::kOk, "bubblewrap works"};
}

Check CheckProgram(const char* name, const std::string& program, const char* use) {
  if (Succeeds({program, "--version"})) return {name, Verdict::kOk, program + " is there"};
  return {name, Verdict::kWarning, fmt::format("{} is missing; it is wanted for {}", program, use)};
}

Check CheckPip(const Settings& settings) {
  if (Succeeds({settings.python, "-m", "pip", "--version"}))
    return {"pip", Verdict::kOk, "jobs may bring requirements.txt"};
  return {"pip", Verdict::kWarning,
          settings.python + " has no pip (install python3-pip); it is wanted for requirements.txt and setup.py"};
}

void RunDoctor(const SettingOptions& options, OutputFormat format) {
  const Settings settings = options.Read();
  const std::vector<Check> checks{CheckPort(settings),
                                  CheckDataDirectory(settings),
                                  CheckSpace(settings),
                                  CheckSandbox(settings),
                                  CheckProgram("compiler", settings.compiler, "training programs in C++"),
                                  CheckProgram("python", settings.python, "training programs in Python"),
                                  CheckPip(settings)};
  bool failed = false;
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Check& check : checks) {
    failed = failed || check.verdict == Verdict::kFailed;
    json.push_back({{"check", check.name}, {"verdict", NameOf(check.verdict)}, {"detail", check.detail}});
    if (format == OutputFormat::kText)
      std::cout << fmt::format("{:<8} {:<15} {}\n", NameOf(check.verdict), check.name, check.detail);
  }
  if (format == OutputFormat::kJson) std::cout << json.dump(2) << "\n";
  if (failed) throw Error(ErrorCode::kFailedPrecondition, "something that the platform needs is missing, see above");
}

}  // namespace

void AddDoctorCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("doctor", "what the platform needs on this machine, and whether it is there");
  auto options = std::make_shared<SettingOptions>(
      *command, std::initializer_list<std::string_view>{"data-dir", "listen", "python", "compiler", "sandbox"});
  auto format = AddOutputOption(*command);
  SetExample(*command, "headrace doctor");
  command->callback([options, format] { RunDoctor(*options, *format); });
}

}  // namespace headrace::apps
