// credential_process: a program of the user's that prints keys.
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "sagemaker/credentials/places.h"

extern "C" char** environ;

namespace headrace::sagemaker {
namespace {

constexpr const char* kMethod = "custom-process";
constexpr size_t kMaxOutput = size_t{1} << 20;

struct Ended {
  int status = 0;
  std::string output;
};

// Runs a program to its end. Its errors go where ours go; a shell has no part in it.
Outcome<Ended> RunProgram(std::vector<std::string> words) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return WrongConfiguration(std::string("credential_process: ") + std::strerror(errno));
  const Descriptor reader(ends[0]);
  Descriptor writer(ends[1]);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, writer.get(), STDOUT_FILENO);
  pid_t child = -1;
  const int error = ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  writer = Descriptor();
  if (error != 0) return WrongConfiguration("credential_process: " + words[0] + ": " + std::strerror(error));
  Ended ended;
  char buffer[4096];
  while (ended.output.size() <= kMaxOutput) {
    const ssize_t size = ::read(reader.get(), buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    ended.output.append(buffer, static_cast<size_t>(size));
  }
  while (::waitpid(child, &ended.status, 0) < 0 && errno == EINTR) {
  }
  return ended;
}

}  // namespace

Found KeysOfProcess(const std::string& command) {
  auto words = ShellWords(command);
  if (!words || words->empty()) return WrongConfiguration("credential_process: wanted a program and its arguments");
  const std::string program = words->front();
  auto ended = RunProgram(std::move(*words));
  if (!ended.ok()) return ended.error();
  if (!WIFEXITED(ended->status) || WEXITSTATUS(ended->status) != 0)
    return WrongConfiguration("credential_process: " + program + " failed with status " +
                              std::to_string(WIFEXITED(ended->status) ? WEXITSTATUS(ended->status) : -1));
  const auto document = nlohmann::json::parse(ended->output, nullptr, false);
  if (!document.is_object() || !document.contains("Version") || document["Version"] != 1)
    return WrongConfiguration("credential_process: " + program + ": wanted a JSON object with \"Version\": 1");
  return KeysOfDocument(ended->output, "SessionToken", kMethod);
}

}  // namespace headrace::sagemaker
