#include "apps/job_init/launch_door.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jobs/launch/launch_request.h"
#include "jobs/launch/rank_process.h"

namespace headrace::job_init {
namespace {

using namespace jobs;

constexpr int kListening = 4;
constexpr int kMostVisitors = 8;  // at once; more wait until they are let in

// Somebody at the door, from the first byte of the request to the answer.
struct Visitor {
  int socket = -1;  // -1: nobody
  char* bytes = nullptr;
  uint32_t size = 0;
  bool asked = false;  // the request is complete
  LaunchKind kind = LaunchKind::kLaunch;
  pid_t child = 0;  // 0: none, or it has ended
};

class Door {
 public:
  int Run() {
    prctl(PR_SET_NAME, kDoorProcessName);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    signals_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals_ < 0 || fcntl(kListening, F_SETFD, FD_CLOEXEC) != 0 || fcntl(kListening, F_SETFL, O_NONBLOCK) != 0)
      return 126;
    while (!closed_ && !(stopping_ && !HasChildren())) Wait();
    for (auto& visitor : visitors_) End(visitor);
    return 0;
  }

 private:
  bool HasChildren() const {
    for (const auto& visitor : visitors_)
      if (visitor.child != 0) return true;
    return false;
  }

  void Wait() {
    struct pollfd watched[2 + kMostVisitors];
    watched[0] = {signals_, POLLIN, 0};
    watched[1] = {FreePlace() != nullptr ? kListening : -1, POLLIN, 0};
    for (int i = 0; i < kMostVisitors; ++i) watched[2 + i] = {visitors_[i].socket, POLLIN, 0};
    if (poll(watched, 2 + kMostVisitors, -1) < 0) return;
    if (watched[0].revents != 0) TakeSignals();
    for (int i = 0; i < kMostVisitors; ++i)
      if (watched[2 + i].revents != 0 && visitors_[i].socket >= 0) Listen(visitors_[i]);
    if (watched[1].revents != 0) LetIn();
  }

  Visitor* FreePlace() {
    for (auto& visitor : visitors_)
      if (visitor.socket < 0) return &visitor;
    return nullptr;
  }

  void LetIn() {
    Visitor* place = FreePlace();
    if (place == nullptr) return;
    const int socket = accept4(kListening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket < 0) return;
    *place = Visitor();
    place->socket = socket;
    place->bytes = static_cast<char*>(malloc(sizeof(LaunchHeader) + kLongestCommand + 1));
    if (place->bytes == nullptr) End(*place);
  }

  // No descriptors are taken along with the bytes: the kernel closes those that somebody sends.
  void Listen(Visitor& visitor) {
    char rest[64];
    const uint32_t room = static_cast<uint32_t>(sizeof(LaunchHeader)) + kLongestCommand - visitor.size;
    const ssize_t n = visitor.asked || room == 0 ? recv(visitor.socket, rest, sizeof rest, 0)
                                                 : recv(visitor.socket, visitor.bytes + visitor.size, room, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
      if (visitor.asked && visitor.kind == LaunchKind::kWatch) closed_ = true;
      End(visitor);
      return;
    }
    if (visitor.asked) return;  // nothing more is listened to
    visitor.size += static_cast<uint32_t>(n);
    LaunchRequest request{};
    switch (ParseLaunchRequest(visitor.bytes, visitor.size, request)) {
      case LaunchParse::kNeedsMore:
        return;
      case LaunchParse::kWrong:
        fprintf(stderr, "headrace: what came through the launch door is no request\n");
        End(visitor);
        return;
      case LaunchParse::kComplete:
        visitor.asked = true;
        visitor.kind = request.kind;
        if (request.kind == LaunchKind::kLaunch) Launch(visitor, request);
    }
  }

  void Launch(Visitor& visitor, const LaunchRequest& request) {
    char* command = visitor.bytes + sizeof(LaunchHeader);
    command[request.size] = '\0';
    const pid_t child = fork();
    if (child < 0) {
      fprintf(stderr, "headrace: a process cannot be started: %s\n", strerror(errno));
      End(visitor);
      return;
    }
    if (child == 0) {
      setsid();
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      sigset_t none;
      sigemptyset(&none);
      sigprocmask(SIG_SETMASK, &none, nullptr);
      execl("/bin/sh", "sh", "-c", command, nullptr);
      fprintf(stderr, "headrace: cannot run /bin/sh: %s\n", strerror(errno));
      _exit(127);
    }
    visitor.child = child;
  }

  void TakeSignals() {
    struct signalfd_siginfo taken;
    while (read(signals_, &taken, sizeof taken) == sizeof taken) stopping_ = stopping_ || taken.ssi_signo == SIGTERM;
    int status = 0;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
      for (auto& visitor : visitors_)
        if (visitor.child == pid) {
          visitor.child = 0;
          send(visitor.socket, &status, sizeof status, MSG_NOSIGNAL | MSG_DONTWAIT);
          End(visitor);
        }
  }

  void End(Visitor& visitor) {
    if (visitor.child != 0) kill(-visitor.child, SIGKILL);  // what it started leads groups of its own, and watches it
    if (visitor.socket >= 0) close(visitor.socket);
    free(visitor.bytes);
    visitor = Visitor();
  }

  int signals_ = -1;
  bool closed_ = false, stopping_ = false;
  Visitor visitors_[kMostVisitors];
};

}  // namespace

int RunDoor(int, char**) {
  static Door door;
  return door.Run();
}

}  // namespace headrace::job_init
