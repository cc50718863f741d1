#include "apps/job_init/abandoned.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace headrace::job_init {
namespace {

constexpr int kParentEnded = SIGHUP;
volatile sig_atomic_t abandoned = 0;

// Once more in a second: it may have come just before a wait began.
void Note(int) {
  abandoned = 1;
  alarm(1);
}

// 0 when it is gone. What a process is called may hold anything, so that is read up to the last bracket.
pid_t ParentOf(const char* pid) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
  FILE* file = fopen(path, "re");
  if (file == nullptr) return 0;
  const size_t size = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[size] = '\0';
  const char* name_end = strrchr(text, ')');
  int parent = 0;
  return name_end != nullptr && sscanf(name_end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

void KillChildren() {
  const pid_t self = getpid();
  DIR* processes = opendir("/proc");
  if (processes == nullptr) return;
  while (const dirent* entry = readdir(processes))
    if (const int pid = atoi(entry->d_name); pid > 0 && ParentOf(entry->d_name) == self) kill(pid, SIGKILL);
  closedir(processes);
}

}  // namespace

void WatchParent() {
  struct sigaction action {};
  action.sa_handler = Note;
  sigaction(kParentEnded, &action, nullptr);
  sigaction(SIGALRM, &action, nullptr);
  prctl(PR_SET_PDEATHSIG, kParentEnded);
}

bool IsAbandoned() { return abandoned != 0; }

void EndAbandoned() {
  constexpr struct timespec kPause = {0, 1'000'000};
  while (true) {
    KillChildren();
    pid_t ended = 0;
    do ended = waitpid(-1, nullptr, WNOHANG);
    while (ended > 0);
    if (ended < 0 && errno == ECHILD) _exit(128 + SIGKILL);
    nanosleep(&kPause, nullptr);
  }
}

}  // namespace headrace::job_init
