#include "apps/job_init/rank_guard.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/job_init/held_program.h"
#include "jobs/launch/rank_process.h"

namespace headrace::job_init {
namespace {

constexpr long kLookNanos = 10'000'000;  // between looks at the records of the other ranks
constexpr int kMostLooks = 50;           // of a rank that has ended by itself: half a second

volatile sig_atomic_t stopping = 0;

long NumberIn(const char* variable) {
  const char* text = getenv(variable);
  return text == nullptr ? -1 : strtol(text, nullptr, 10);
}

// There at once and whole, or not at all.
void WriteRecord(const char* directory, long rank, int status, const char* ending = "") {
  struct utsname names {};
  uname(&names);
  struct timespec now {};
  clock_gettime(CLOCK_REALTIME, &now);
  char text[128], path[4096], whole[4096];
  const int size = snprintf(text, sizeof text, "%.63s %d %lld\n", names.nodename, status,
                            static_cast<long long>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000);
  snprintf(path, sizeof path, "%s/.%ld", directory, rank);
  snprintf(whole, sizeof whole, "%s/%ld%s", directory, rank, ending);
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (file < 0) return;
  const bool written = write(file, text, static_cast<size_t>(size)) == size;
  close(file);
  if (written) rename(path, whole);
}

bool AllHaveEnded(const char* directory, long ranks) {
  char path[4096];
  for (long rank = 0; rank < ranks; ++rank) {
    snprintf(path, sizeof path, "%s/%ld", directory, rank);
    if (access(path, F_OK) != 0) return false;
  }
  return true;
}

// mpirun is to see how the program ended.
[[noreturn]] void EndAs(int status) {
  if (WIFEXITED(status)) _exit(WEXITSTATUS(status));
  signal(WTERMSIG(status), SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  raise(WTERMSIG(status));
  _exit(128 + WTERMSIG(status));
}

}  // namespace

int GuardRank(int count, char** arguments) {
  if (count < 2) return 2;
  const char* directory = arguments[0];
  const long rank = NumberIn("OMPI_COMM_WORLD_RANK"), ranks = NumberIn("OMPI_COMM_WORLD_SIZE");
  prctl(PR_SET_NAME, jobs::kRankProcessName);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  struct sigaction action {};
  action.sa_handler = [](int) { stopping = 1; };
  sigaction(SIGTERM, &action, nullptr);
  const pid_t guard = getpid(), program = fork();
  if (program < 0) return 126;
  if (program == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != guard) _exit(126);  // it died before it could be watched
    signal(SIGTERM, SIG_DFL);
    execvp(arguments[1], arguments + 1);
    const int code = errno;
    fprintf(stderr, "cannot run %s: %s\n", arguments[1], strerror(code));
    _exit(code == ENOENT ? 127 : 126);
  }
  HeldProgram held(program, rank);
  int status = 0;
  bool ended = false;
  while (!ended || stopping != 0) {
    int other = 0;
    const pid_t pid = waitpid(-1, &other, WUNTRACED | WCONTINUED);
    if (pid < 0 && errno == ECHILD) break;
    if (pid < 0) {
      // Before it is ended; those that wait for it may give up first, and mpirun then ends both it and this guard.
      if (rank >= 0 && held.HeldForLong() != 0) WriteRecord(directory, rank, held.HeldForLong(), jobs::kHeldEnding);
      held.Look();
    }
    if (pid != program) continue;
    if (WIFSTOPPED(other)) {
      held.Stopped(other);
    } else if (WIFCONTINUED(other)) {
      held.Continued();
    } else {
      status = other;
      ended = true;
    }
  }
  if (rank >= 0) WriteRecord(directory, rank, status);
  const struct timespec pause = {0, kLookNanos};
  // mpirun kills all guards as soon as one has gone. One whose rank was killed before this rank ended, and because of
  // which it ended, may not have written its record yet: it gets a moment. A rank that was killed keeps nobody waiting.
  const auto stays = [status](int looks) { return stopping != 0 || (WIFEXITED(status) && looks < kMostLooks); };
  for (int looks = 0; rank >= 0 && stays(looks) && !AllHaveEnded(directory, ranks); ++looks) nanosleep(&pause, nullptr);
  EndAs(status);
}

}  // namespace headrace::job_init
