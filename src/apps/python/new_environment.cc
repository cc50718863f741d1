#include "apps/python/new_environment.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/beneath.h"
#include "jobs/process/find_program.h"

namespace headrace::apps {
namespace {

// Runs a program that whoever waits may watch. False when it fails.
Result<bool> RunVisibly(const NewEnvironment& wanted, std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  if (wanted.quiet) ::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  const int failure = ::posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failure != 0)
    return Fail(ErrorCode::kFailedPrecondition, "{}: cannot be run: {}", words[0], std::strerror(failure));
  int status = -1;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

Status InstallFramework(const NewEnvironment& wanted, const std::string& interpreter) {
  const auto requirement = RequirementOf(wanted.framework);
  std::vector<std::string> words = {interpreter,  "-m",       "pip", "install", "--disable-pip-version-check",
                                    "--no-input", requirement};
  words.insert(words.end(), wanted.more.begin(), wanted.more.end());
  HEADRACE_ASSIGN(const bool installed, RunVisibly(wanted, std::move(words)));
  if (installed) return {};
  const std::string name = wanted.framework.wanted.framework->name;
  return Fail(
      ErrorCode::kFailedPrecondition,
      "{} could not be installed, pip says why above. Where this Python is too new or too old for it: give another "
      "version, or another Python to make it of (--python /usr/bin/python3.10). Where the package index is out "
      "of reach: name one that is not (PIP_INDEX_URL), or a directory of wheels (PIP_NO_INDEX=1 PIP_FIND_LINKS=DIR), "
      "or register an interpreter that has it already: headrace python add {} --interpreter /path/to/python3",
      requirement, name);
}

Result<std::string> MakeFrom(const NewEnvironment& wanted, const std::string& base) {
  HEADRACE_TRY(RemoveTree(wanted.directory));
  HEADRACE_ASSIGN(const bool made, RunVisibly(wanted, {base, "-m", "venv", wanted.directory}));
  if (!made)
    return Fail(ErrorCode::kFailedPrecondition,
                "{} cannot make virtual environments, it says why above: install what it needs for that (Debian: "
                "python3-venv), or give another one (--python)",
                base);
  const auto interpreter = wanted.directory + "/bin/python";
  HEADRACE_TRY(InstallFramework(wanted, interpreter));
  return interpreter;
}

}  // namespace

Result<std::string> MakeEnvironment(const NewEnvironment& wanted) {
  const auto base = jobs::FindProgram(wanted.base);
  if (!base)
    return Fail(ErrorCode::kNotFound, "{}: install Python (Debian: python3-venv), or say where it is (--python)",
                base.error().message());
  auto made = MakeFrom(wanted, *base);
  if (!made) (void)RemoveTree(wanted.directory);  // the next try removes it, else
  return made;
}

std::string RequirementOf(const jobs::FrameworkSpec& framework) {
  const auto& version = framework.wanted.version;
  if (version.empty()) return framework.package;
  const bool whole = std::count(version.begin(), version.end(), '.') >= 2 ||
                     version.find_first_not_of("0123456789.") != std::string::npos;
  return framework.package + "==" + version + (whole ? "" : ".*");
}

}  // namespace headrace::apps
