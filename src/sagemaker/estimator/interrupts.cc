#include "sagemaker/estimator/interrupts.h"

#include <atomic>
#include <cerrno>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sagemaker/estimator/waiting.h"

namespace headrace::sagemaker {
namespace {

// Handlers have no context of their own: where the one that is active hears of Ctrl-C.
std::atomic<int> active_event = -1;

void OnInterrupt(int) {
  const int saved = errno;
  const uint64_t one = 1;
  (void)!::write(active_event.load(), &one, sizeof one);
  errno = saved;
}

}  // namespace

InterruptGuard::InterruptGuard(bool active) {
  if (!active) return;
  event_ = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  int none = -1;
  if (event_.get() < 0 || !active_event.compare_exchange_strong(none, event_.get())) return;
  active_ = true;
  struct sigaction action {};
  action.sa_handler = OnInterrupt;  // without SA_RESTART: a second Ctrl-C ends the reading of an answer
  ::sigaction(SIGINT, &action, &before_);
}

InterruptGuard::~InterruptGuard() {
  if (!active_) return;
  ::sigaction(SIGINT, &before_, nullptr);
  active_event = -1;
}

bool InterruptGuard::WaitFor(std::chrono::milliseconds duration, const std::stop_token& stop) {
  if (!active_) {
    Pause(duration, stop);
    return false;
  }
  const Descriptor stopped(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::stop_callback wake(stop, [&] { ::eventfd_write(stopped.get(), 1); });
  struct pollfd events[2] = {{event_.get(), POLLIN, 0}, {stopped.get(), POLLIN, 0}};
  ::poll(events, 2, static_cast<int>(duration.count()));
  if (stop.stop_requested()) Pause({}, stop);
  eventfd_t pressed = 0;
  return ::eventfd_read(event_.get(), &pressed) == 0;
}

}  // namespace headrace::sagemaker
