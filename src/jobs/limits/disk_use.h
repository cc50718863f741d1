// How much room on the disk the files of a job take.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace headrace::jobs {

struct DiskUse {
  uint64_t bytes = 0;
  bool whole = true;  // false: there may be more, in what cannot be read or was moved meanwhile
};

// What files below these directories take, as the file system counts: holes take nothing, a file with several names
// counts once, and every file counts as a block at least. Links are not followed, and names right in a directory that
// are in `left_out` are not counted.
DiskUse DiskUseBelow(const std::vector<std::string>& directories, const std::vector<std::string>& left_out = {});

// What files that have no name any more, but are held open by these processes, take on the file system of `directory`.
uint64_t DiskUseOfNameless(const std::vector<pid_t>& processes, const std::string& directory);

}  // namespace headrace::jobs
