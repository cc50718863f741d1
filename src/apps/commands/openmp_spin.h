// How long OpenMP's threads wait awake for their next piece of work.
#pragma once

namespace headrace::apps {

// Bounds it (base/processors.h says why) in the programs that this process begins from now on. False when the user has
// set GOMP_SPINCOUNT or OMP_WAIT_POLICY, which stay as they are.
bool BoundSpinOfPrograms();
// The same for this program: libgomp reads the bound only when it is loaded, so the program begins again with it.
void BoundOpenMpSpin();

}  // namespace headrace::apps
