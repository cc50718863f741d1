// headrace-job-init: the parent of a job's program, inside its sandbox. It gives what a container's first process has
// to give: it adopts orphans, and when the job is being stopped (SIGTERM, which the supervisor sends to every process
// of the job) it waits for all of them, so that a program may still save its work after the shell that started it has
// gone. When its supervisor has been killed it ends them all (abandoned.h).
//
// usage: headrace-job-init PROGRAM ARGUMENTS…    descriptor 3 receives two longs: the program's wait status, and the
// most KiB of memory that it or a process it waited for has had
//
// For jobs whose ranks mpirun starts it is three small programs besides: `--agent` (launch_agent.h), `--door`
// (launch_door.h) and `--rank` (rank_guard.h).
//
// Linked statically and without the C++ library, so that it starts in no time.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/job_init/abandoned.h"
#include "apps/job_init/launch_agent.h"
#include "apps/job_init/launch_door.h"
#include "apps/job_init/rank_guard.h"

namespace {

constexpr int kStatusDescriptor = 3;
volatile sig_atomic_t stopping = 0;

int RunProgram(char** arguments) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  execvp(arguments[0], arguments);
  const int code = errno;
  fprintf(stderr, "cannot run %s: %s\n", arguments[0], strerror(code));
  return code == ENOENT ? 127 : 126;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  if (strcmp(argv[1], "--agent") == 0) return headrace::job_init::RunAgent(argc - 2, argv + 2);
  if (strcmp(argv[1], "--door") == 0) return headrace::job_init::RunDoor(argc - 2, argv + 2);
  if (strcmp(argv[1], "--rank") == 0) return headrace::job_init::GuardRank(argc - 2, argv + 2);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  fcntl(kStatusDescriptor, F_SETFD, FD_CLOEXEC);
  headrace::job_init::WatchParent();
  const pid_t program = fork();
  if (program < 0) return 126;
  if (program == 0) _exit(RunProgram(argv + 1));

  struct sigaction action {};
  action.sa_handler = [](int) { stopping = 1; };
  sigaction(SIGTERM, &action, nullptr);
  long report[2] = {0, 0};
  int status = 0;
  bool ended = false;
  while (!ended || stopping != 0) {
    if (headrace::job_init::IsAbandoned()) headrace::job_init::EndAbandoned();
    int other = 0;
    struct rusage usage {};
    const pid_t pid = wait4(-1, &other, 0, &usage);
    if (pid < 0 && errno == ECHILD) break;
    if (pid != program) continue;
    status = other;
    report[1] = usage.ru_maxrss;
    ended = true;
  }
  report[0] = status;
  if (write(kStatusDescriptor, report, sizeof report) < 0) return 126;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
