// What the kernel calls processes that a supervisor looks for. Without the C++ library.
#pragma once

namespace headrace::jobs {

// The guard of a rank (src/apps/job_init/rank_guard.h): the processes below it are the rank's.
inline constexpr const char* kRankProcessName = "headrace-rank";
// A launch door (src/apps/job_init/launch_door.h).
inline constexpr const char* kDoorProcessName = "headrace-door";

// A rank's guard writes its end down as RANK, and as RANK.held, once a second, that the rank is held for long already.
inline constexpr const char* kHeldEnding = ".held";

}  // namespace headrace::jobs
