#include "jobs/machine/python.h"

#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <string_view>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jobs/process/child.h"
#include "jobs/process/find_program.h"

namespace headrace::jobs {
namespace {

constexpr const char* kProgram = "import sys; print(sys.executable); print(sys.prefix); print(sys.base_prefix)";

// Empty when it fails.
std::string OutputOf(const Command& command) {
  auto child = StartChild(command);
  if (!child) return "";
  pollfd ended{child->process.get(), POLLIN, 0};
  while (::poll(&ended, 1, -1) < 0 && errno == EINTR) {
  }
  int status = 0;
  while (::waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
  }
  char text[4096];
  const ssize_t n = ::read(child->output.get(), text, sizeof text);
  if (n <= 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return "";
  return {text, static_cast<size_t>(n)};
}

std::string Variable(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

}  // namespace

Python FindPython(const std::string& configured) {
  const auto program = FindProgram(configured);
  if (!program) return {};
  std::istringstream lines(
      OutputOf({.arguments = {*program, "-c", kProgram},
                .environment = {{"PATH", Variable("PATH", "/usr/bin:/bin")}, {"HOME", Variable("HOME", "/")}}}));
  Python python;
  std::getline(lines, python.program);
  for (std::string path; std::getline(lines, path);)
    if (!path.empty() && path != "/" && path != "/usr") python.paths.push_back(path);
  return python;
}

}  // namespace headrace::jobs
