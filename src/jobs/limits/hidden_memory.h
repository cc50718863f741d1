// Memory of a sandbox that no process has mapped: the files of its tmpfs mounts, /dev/shm above all.
#pragma once

#include <cstdint>
#include <vector>

#include <sys/types.h>

namespace headrace::jobs {

// Of the file systems in memory that the first of these processes that lets us look sees at the usual places. What a
// process has mounted elsewhere, in a name space of its own, is not seen: only a control group bounds that.
uint64_t HiddenMemory(const std::vector<pid_t>& processes);

}  // namespace headrace::jobs
