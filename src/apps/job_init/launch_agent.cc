#include "apps/job_init/launch_agent.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jobs/launch/launch_request.h"

namespace headrace::job_init {
namespace {

using namespace jobs;

constexpr int kFailed = 255;  // as ssh says that it could not do it

int Complain(const char* host, const char* what, int code) {
  fprintf(stderr, "headrace: %s: %s: %s\n", host, what, strerror(code));
  return kFailed;
}

bool SendAll(int socket, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t n = send(socket, bytes, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

// As ssh does it: the words with spaces between them, to be read by a shell. False when they are too long.
bool Join(int count, char** words, char* command, uint32_t& size) {
  size = 0;
  for (int i = 0; i < count; ++i) {
    const size_t length = strlen(words[i]);
    if (size + length + 1 > kLongestCommand) return false;
    if (i > 0) command[size++] = ' ';
    memcpy(command + size, words[i], length);
    size += static_cast<uint32_t>(length);
  }
  return size > 0;
}

}  // namespace

int RunAgent(int count, char** arguments) {
  if (count < 3) return kFailed;
  const char* doors = arguments[0];
  const char* host = arguments[1];
  static char command[kLongestCommand];
  uint32_t size = 0;
  if (!Join(count - 2, arguments + 2, command, size)) return Complain(host, "the command line", E2BIG);

  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  const int length = snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", doors, host);
  if (strchr(host, '/') != nullptr || length < 0 || static_cast<size_t>(length) >= sizeof address.sun_path)
    return Complain(host, "not a host of this job", EINVAL);
  const int door = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (door < 0 || connect(door, reinterpret_cast<struct sockaddr*>(&address), sizeof address) != 0)
    return Complain(host, "cannot be reached", errno);
  const auto header = MakeLaunchHeader(LaunchKind::kLaunch, size);
  if (!SendAll(door, reinterpret_cast<const char*>(&header), sizeof header) || !SendAll(door, command, size))
    return Complain(host, "the connection broke", errno);
  int status = 0;
  ssize_t n;
  while ((n = recv(door, &status, sizeof status, MSG_WAITALL)) < 0 && errno == EINTR) {
  }
  if (n != sizeof status) return Complain(host, "the host has gone", ECONNRESET);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace headrace::job_init
