#include "jobs/python/interpreter.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jobs/process/child.h"
#include "jobs/process/find_program.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;

constexpr int kMillis = 30'000;  // that an interpreter has for its answer, a cold disk's included

// Written for Python 3.5 and later. A module's version is that of a package which is called so: several may have it.
constexpr const char* kQuestions = R"(
import json, os, sys
from importlib.util import find_spec
try:
    from importlib.metadata import version
except ImportError:
    try:
        import pkg_resources
        version = lambda name: pkg_resources.get_distribution(name).version
    except ImportError:
        version = None

def version_of(names):
    for name in names:
        try:
            return version(name)
        except Exception:
            pass
    return ""

modules = {}
for module, packages in {
    "tensorflow": ["tensorflow", "tensorflow-cpu", "tensorflow-gpu", "intel-tensorflow", "tensorflow-intel", "tf-nightly"],
    "keras": ["keras"], "torch": ["torch"], "sklearn": ["scikit-learn"], "xgboost": ["xgboost", "xgboost-cpu"],
    "horovod": ["horovod"], "sagemaker_tensorflow": ["sagemaker-tensorflow"], "sagemaker_training": ["sagemaker-training"],
}.items():
    try:
        spec = find_spec(module)
    except Exception:
        continue
    if spec and spec.origin and spec.origin != "namespace":
        modules[module] = version_of(packages)
real = os.path.dirname(os.path.dirname(os.path.realpath(sys.executable)))
print(json.dumps({"program": sys.executable, "version": "%d.%d.%d" % sys.version_info[:3],
                  "paths": [sys.prefix, sys.base_prefix, sys.exec_prefix, real], "places": sys.path, "modules": modules}))
)";

struct Answer {
  bool succeeded = false;
  std::string output, error;
};

void Drain(int fd, std::string& text) {
  char piece[4096];
  for (ssize_t n; (n = ::read(fd, piece, sizeof piece)) > 0;) text.append(piece, static_cast<size_t>(n));
}

Result<Answer> Ask(const Command& command) {
  HEADRACE_ASSIGN(const auto child, StartChild(command));
  pollfd ended{child.process.get(), POLLIN, 0};
  int ready = 0;
  while ((ready = ::poll(&ended, 1, kMillis)) < 0 && errno == EINTR) {
  }
  if (ready <= 0) ::kill(-child.pid, SIGKILL);
  int status = 0;
  while (::waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  Answer answer;
  Drain(child.output.get(), answer.output);
  Drain(child.error.get(), answer.error);
  answer.succeeded = ready > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (ready <= 0) answer.error = fmt::format("no answer within {} s", kMillis / 1000);
  return answer;
}

std::string LastLine(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

std::string Variable(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

void AddOnce(std::vector<std::string>& paths, std::string path) {
  if (path.starts_with('/') && path != "/" && std::find(paths.begin(), paths.end(), path) == paths.end())
    paths.push_back(std::move(path));
}

Interpreter Decode(const json& from) {
  Interpreter interpreter;
  interpreter.program = from.at("program");
  interpreter.version = from.at("version");
  for (const std::string path : from.at("paths"))
    if (path != "/usr" && !path.starts_with("/usr/")) AddOnce(interpreter.paths, path);
  for (const std::string place : from.at("places")) AddOnce(interpreter.places, place);
  interpreter.modules = from.at("modules");
  return interpreter;
}

}  // namespace

std::string Interpreter::VersionOf(const std::string& module) const {
  const auto found = modules.find(module);
  return found == modules.end() ? "" : found->second;
}

Result<Interpreter> ProbeInterpreter(const std::string& configured) {
  HEADRACE_ASSIGN(const auto program, FindProgram(configured));
  // -I: nothing of this process's directory, variables or user counts; jobs do not see it either.
  HEADRACE_ASSIGN(const auto answer,
                  Ask({.arguments = {program, "-I", "-c", kQuestions},
                       .environment = {{"PATH", Variable("PATH", "/usr/bin:/bin")}, {"HOME", Variable("HOME", "/")}}}));
  if (!answer.succeeded)
    return Fail(ErrorCode::kFailedPrecondition, "{} does not run as Python 3.5 or later: {}", program,
                LastLine(answer.error));
  const auto said = json::parse(LastLine(answer.output), nullptr, false);
  try {
    return Decode(said);
  } catch (const json::exception&) {
    return Fail(ErrorCode::kFailedPrecondition, "{} is no Python interpreter: it answers '{}'", program,
                LastLine(answer.output).substr(0, 100));
  }
}

std::string StampOf(const Interpreter& interpreter) {
  std::string stamp;
  const auto add = [&stamp](const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) status = {};
    stamp += fmt::format("{} {} {}.{};", path, status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  };
  add(interpreter.program);
  for (const auto& place : interpreter.places) add(place);
  return stamp;
}

}  // namespace headrace::jobs
