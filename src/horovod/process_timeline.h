// The timeline of this process: one file, as HOROVOD_TIMELINE or hvd::start_timeline() names it. Rank 0 alone writes.
#pragma once

#include "horovod/communicator.h"
#include "horovod/timeline.h"

namespace headrace::hvd {

Timeline& ProcessTimeline();

// What HOROVOD_TIMELINE and HOROVOD_TIMELINE_MARK_CYCLES say; DYNAMIC leaves it to start_timeline().
Status StartTimelineOfEnvironment(const Place& place);

}  // namespace headrace::hvd
