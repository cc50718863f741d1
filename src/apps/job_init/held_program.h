// HeldProgram: what the guard of a rank does while somebody holds the rank's program (SIGSTOP). The ranks that wait for
// it in MPI would wait for ever and say nothing: after HOROVOD_STALL_CHECK_TIME_SECONDS (10) the rank is named on
// standard error, after HOROVOD_STALL_SHUTDOWN_TIME_SECONDS (60; 0: never) it is ended.
#pragma once

#include <sys/types.h>

namespace headrace::job_init {

class HeldProgram {
 public:
  // SIGALRM interrupts what this process waits for; it is then to Look().
  HeldProgram(pid_t program, long rank);

  void Stopped(int wait_status);
  void Continued();
  void Look();
  // The wait status with which it is held now, for half of the limit or longer; 0: it is not. Half, because the ranks
  // that wait for it have the same limit, and began to wait at some other time.
  int HeldForLong() const;

 private:
  void Say(double seconds, const char* what) const;

  const pid_t program_;
  const long rank_;
  double warning_, limit_;  // seconds; 0: never
  int held_ = 0;            // its wait status; 0: it runs
  double since_ = 0;        // of the monotonic clock
  bool named_ = false, killed_ = false;
  char when_[32] = "";
};

}  // namespace headrace::job_init
