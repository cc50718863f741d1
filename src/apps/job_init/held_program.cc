#include "apps/job_init/held_program.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>

namespace headrace::job_init {
namespace {

constexpr double kWarningSeconds = 10, kLimitSeconds = 60;  // src/horovod/settings.h

double Now() {
  struct timespec now {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// What is no number a program that reads the variable complains of.
double SecondsIn(const char* variable, double otherwise) {
  const char* text = getenv(variable);
  if (text == nullptr || *text == '\0') return otherwise;
  char* end = nullptr;
  const double seconds = strtod(text, &end);
  return *end == '\0' && seconds >= 0 ? seconds : otherwise;
}

bool IsOn(const char* variable) {
  const char* text = getenv(variable);
  return text != nullptr && *text != '\0' && strcmp(text, "0") != 0;
}

// Wakes the guard up every second: a signal that comes before it waits again is followed by another.
void RingEverySecond(bool on) {
  struct itimerval timer {};
  timer.it_interval.tv_sec = timer.it_value.tv_sec = on ? 1 : 0;
  setitimer(ITIMER_REAL, &timer, nullptr);
}

}  // namespace

HeldProgram::HeldProgram(pid_t program, long rank)
    : program_(program), rank_(rank), warning_(SecondsIn("HOROVOD_STALL_CHECK_TIME_SECONDS", kWarningSeconds)) {
  if (IsOn("HOROVOD_STALL_CHECK_DISABLE")) warning_ = 0;
  const double otherwise = 6 * warning_ > kLimitSeconds ? 6 * warning_ : kLimitSeconds;
  limit_ = SecondsIn("HOROVOD_STALL_SHUTDOWN_TIME_SECONDS", otherwise);
  struct sigaction action {};
  action.sa_handler = [](int) {};
  sigaction(SIGALRM, &action, nullptr);
}

void HeldProgram::Stopped(int wait_status) {
  held_ = wait_status;
  named_ = false;
  since_ = Now();
  const time_t now = time(nullptr);
  struct tm parts {};
  gmtime_r(&now, &parts);
  strftime(when_, sizeof when_, "%Y-%m-%d %H:%M:%S UTC", &parts);
  RingEverySecond(true);
}

void HeldProgram::Continued() {
  if (held_ != 0 && named_) Say(Now() - since_, "goes on, having been held");
  held_ = 0;
  RingEverySecond(false);
}

void HeldProgram::Look() {
  if (held_ == 0 || killed_) return;
  const double seconds = Now() - since_;
  if (limit_ != 0 && seconds >= limit_) {
    Say(seconds, "is ended (HOROVOD_STALL_SHUTDOWN_TIME_SECONDS), being held");
    killed_ = true;
    RingEverySecond(false);
    kill(program_, SIGKILL);
  } else if (warning_ != 0 && seconds >= warning_ && !named_) {
    named_ = true;
    Say(seconds, "is held, and others may wait for it");
  }
}

int HeldProgram::HeldForLong() const { return limit_ != 0 && Now() - since_ >= limit_ / 2 ? held_ : 0; }

// In one piece, so that no other process's line comes between.
void HeldProgram::Say(double seconds, const char* what) const {
  struct utsname names {};
  uname(&names);
  const char* signal = sigabbrev_np(WSTOPSIG(held_));
  char line[512];
  snprintf(line, sizeof line, "[headrace] rank %ld on %.63s %s: by SIG%s, since %s, for %.0f s\n", rank_,
           names.nodename, what, signal == nullptr ? "?" : signal, when_, seconds);
  fputs(line, stderr);
}

}  // namespace headrace::job_init
