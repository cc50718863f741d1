// The directory in memory that all hosts of one job on one machine share: what ranks exchange lies there. Its pages
// count against the memory of the host that has touched them first.
#pragma once

#include <string>

#include "base/result.h"
#include "jobs/directory/job_directory.h"

namespace headrace::jobs {

// Its path, the same for every process that asks.
std::string SharedMemoryOf(const JobDirectory& job);

// Empty and for this user alone.
Status MakeSharedMemory(const JobDirectory& job);
// Can be repeated.
Status RemoveSharedMemory(const JobDirectory& job);

}  // namespace headrace::jobs
