// How long OpenMP's threads wait awake for their next piece of work.
#pragma once

namespace headrace::apps {

// libgomp's threads spin for milliseconds before they sleep, and a computation whose threads wait for one that has lost
// its processor stands still as long: beside any other busy process one answer of 0.3 ms took 100 ms. Bounded to some
// ten microseconds, they still bridge the gaps inside one computation. libgomp reads the bound only when it is loaded,
// so the program begins again with it. Does nothing when the user has set GOMP_SPINCOUNT or OMP_WAIT_POLICY.
void BoundOpenMpSpin();

}  // namespace headrace::apps
