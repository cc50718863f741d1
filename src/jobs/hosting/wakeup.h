// Wakeup: how a thread that polls waits, and how others end its wait.
#pragma once

#include <algorithm>
#include <vector>

#include <poll.h>

#include "base/clock.h"
#include "base/descriptor.h"

namespace headrace::jobs {

// Of two times to wake at; 0: none.
inline UnixMillis Earlier(UnixMillis a, UnixMillis b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); }

class Wakeup {
 public:
  Wakeup();
  void Signal();  // any thread; one signal is enough for many
  // Until a signal, an event of `watched`, or `until`; 0: a minute at most.
  void Wait(std::vector<pollfd> watched, UnixMillis now, UnixMillis until);

 private:
  Descriptor event_;
};

}  // namespace headrace::jobs
