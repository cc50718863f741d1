// How the ranks of an MPI job have ended, as their guards have written it down (src/apps/job_init/rank_guard.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace headrace::jobs {

struct RankEnd {
  int rank = 0;
  std::string host;
  int exit_code = 0;  // 128 + the signal, when one killed it
  int signal = 0;
  int held_by = 0;  // the signal by which it was held, for so long that its guard or those that waited for it ended it
  UnixMillis time = 0;

  bool succeeded() const { return exit_code == 0 && signal == 0; }
};

// "HOST WAITSTATUS MILLISECONDS\n". None for anything else.
std::optional<RankEnd> ParseRankRecord(int rank, std::string_view text);

// The records of ranks below `ranks`. The directory is the job's own: what is no record is not believed, and no more is
// read than there can be.
std::vector<RankEnd> ReadRankRecords(const std::string& directory, int ranks);

// The rank that failed first; those that SIGTERM has ended come last, because that is how the others are ended when one
// fails, and one that was killed comes before those that failed half a second sooner, because they may have noticed it
// sooner than its guard.
std::optional<RankEnd> FirstFailure(const std::vector<RankEnd>& ends);

// The rank by which the job failed, when all is over. One that was held at the time of the first failure, and did not
// end by itself, comes before that: the others may have given up waiting for it before its guard ended it.
std::optional<RankEnd> CauseOfFailure(const std::string& directory, int ranks);

bool WasKilledBy(int signal, const std::optional<RankEnd>& end);

}  // namespace headrace::jobs
