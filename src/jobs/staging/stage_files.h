// Staging: brings objects into a directory as files of its own: shared blocks where the file system can (reflink), else
// copied inside the kernel; many at once; what an earlier, interrupted attempt has finished is kept.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/beneath.h"
#include "base/result.h"
#include "jobs/directory/job_description.h"

namespace headrace::jobs {

struct StagedTotals {
  uint64_t files = 0, bytes = 0;
  uint64_t kept = 0;  // files that were there already
};

struct StagingOptions {
  int threads = 4;
  // Unfinished files live here, on the same file system as the destination.
  std::string scratch;
  // Asked between pieces of 64 MiB; true gives up with kUnavailable.
  std::function<bool()> cancelled = [] { return false; };
};

// Each object becomes `directory`/name, writable for its owner. kInvalidArgument for a name that would leave the
// directory or lead through a link, kDataLoss when the blob is not as long as the object was.
Result<StagedTotals> StageFiles(const std::vector<InputObject>& objects, const HeldDirectory& directory,
                                const StagingOptions& options);

}  // namespace headrace::jobs
