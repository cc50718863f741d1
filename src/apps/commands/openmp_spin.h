// How long OpenMP's threads wait awake for their next piece of work.
#pragma once

namespace headrace::apps {

// libgomp's threads spin for long before they sleep, and keep the processor that the thread they wait for has lost:
// beside any other busy process an answer takes many times as long. Bounded to some ten microseconds, they still bridge
// the gaps inside one computation. libgomp reads the bound only when it is loaded,
// so the program begins again with it. Does nothing when the user has set GOMP_SPINCOUNT or OMP_WAIT_POLICY.
void BoundOpenMpSpin();

}  // namespace headrace::apps
