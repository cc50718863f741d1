// Ctrl-C while something waits: a question instead of the end of the program.
#pragma once

#include <chrono>
#include <csignal>
#include <stop_token>

#include "base/descriptor.h"

namespace headrace::sagemaker {

// While an active one lives, SIGINT is noted instead of ending the program; afterwards it does what it did before. One
// at a time is active, further ones are not.
class InterruptGuard {
 public:
  explicit InterruptGuard(bool active);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  // Waits for so long; true as soon as Ctrl-C has been pressed. Throws ServiceError "Cancelled" when `stop` says so.
  bool WaitFor(std::chrono::milliseconds duration, const std::stop_token& stop);

 private:
  Descriptor event_;  // readable when Ctrl-C was pressed
  bool active_ = false;
  struct sigaction before_ {};
};

}  // namespace headrace::sagemaker
