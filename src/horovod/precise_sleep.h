// SleepPrecisely: naps of some microseconds that are not stretched.
#pragma once

#include <sys/prctl.h>

namespace headrace::hvd {

// The calling thread's sleeps end within a microsecond or so of their time. By default the kernel adds up to 50.
inline void SleepPrecisely() { ::prctl(PR_SET_TIMERSLACK, 1'000ul, 0ul, 0ul, 0ul); }

}  // namespace headrace::hvd
