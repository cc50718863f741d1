// Programs are started by vfork: fork copies the tables of all memory that the process has, which takes the server
// longer than all else that a start needs (7 ms for 40 MiB on a virtual machine, twice for a process that is nobody's
// child). Until it executes its program the child runs in the memory of the thread that starts it, which waits
// meanwhile. So nothing else may run there: no signal handler.
#pragma once

#include <csignal>

namespace headrace::jobs {

// No handler runs in this thread, nor in the child that it starts, while this is there.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsHeld() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_;
};

// In the child, right before it executes its program: no handler of this process is left.
inline void TakeSignals() {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace headrace::jobs
