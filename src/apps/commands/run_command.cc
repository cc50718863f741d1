#include "apps/commands/run_command.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/command.h"
#include "apps/commands/openmp_spin.h"
#include "base/result.h"
#include "jobs/runtime/compiler.h"

namespace headrace::apps {
namespace {

namespace fs = std::filesystem;

struct RunOptions {
  std::string file, compiler = "g++";
  std::vector<std::string> arguments;
  bool compile_only = false;
};

// Of this user alone: what is found there is run. So none below a temporary directory that all share.
std::string CacheDirectory() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/')
    return std::string(cache) + "/headrace";
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home != '/') {
    const struct passwd* user = ::getpwuid(::geteuid());
    home = user == nullptr ? nullptr : user->pw_dir;
  }
  if (home == nullptr || *home != '/')
    throw MakeError(ErrorCode::kFailedPrecondition,
                    "there is no directory for compiled programs: set HOME or XDG_CACHE_HOME");
  return std::string(home) + "/.cache/headrace";
}

// Compilers speak for themselves, on our standard error.
Result<bool> RunHere(const jobs::Command& command) {
  std::vector<char*> argv;
  for (const auto& argument : command.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) return Fail(ErrorCode::kResourceExhausted, "cannot start a process: {}", std::strerror(errno));
  if (pid == 0) {
    if (::chdir(command.directory.c_str()) == 0 && ::dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
      ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
    return Fail(ErrorCode::kNotFound, "{}: cannot be run", command.arguments.front());
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string Compiled(const RunOptions& options) {
  const fs::path file = fs::weakly_canonical(options.file);
  if (!fs::is_regular_file(file)) throw MakeError(ErrorCode::kNotFound, "{}: no such file", options.file);
  if (!jobs::IsCppSource(file.string()))
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found this name, wanted one that ends in .cpp, .cc or .cxx",
                    options.file);
  const jobs::CompileRequest request{.source_dir = file.parent_path(),
                                     .entry_point = file.filename(),
                                     .compiler = options.compiler,
                                     .installation = jobs::FindInstallation(fs::read_symlink("/proc/self/exe")),
                                     .cache_dir = CacheDirectory(),
                                     .parallel = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)),
                                     .whole_tree = false};  // it may be somebody's home
  const auto run = [](const jobs::Command& command, const std::string&) { return RunHere(command); };
  return ValueOrThrow(jobs::Compile(request, run, [] { return false; })).path;
}

}  // namespace

void AddRunCommand(CLI::App& app) {
  auto* command =
      app.add_subcommand("run", "Compile a C++ program against Headrace, once for each content, and run it");
  const auto options = std::make_shared<RunOptions>();
  command->add_option("file", options->file, "The program's source; a CMakeLists.txt beside it builds it instead")
      ->required();
  command->add_option("arguments", options->arguments, "What the program gets")->expected(0, -1);
  command->add_option("--compiler", options->compiler, "The C++ compiler")->envname("HEADRACE_COMPILER");
  command->add_flag("--compile-only", options->compile_only, "Do not run it; print where the program is");
  command->positionals_at_end(true);
  command->prefix_command();
  SetExample(*command, "headrace run examples/cifar10/keras_cifar10.cpp --epochs 1");
  command->callback([command, options] {
    const auto program = Compiled(*options);
    if (options->compile_only) {
      fmt::print("{}\n", program);
      return;
    }
    std::vector<std::string> arguments = {program};
    arguments.insert(arguments.end(), options->arguments.begin(), options->arguments.end());
    for (const auto& argument : command->remaining()) arguments.push_back(argument);
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    BoundSpinOfPrograms();
    ::execv(program.c_str(), argv.data());
    throw MakeError(ErrorCode::kFailedPrecondition, "{}: cannot be run: {}", program, std::strerror(errno));
  });
}

}  // namespace headrace::apps
