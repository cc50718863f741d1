// sagemaker_mpi_custom_mpi_options: what a job adds to mpirun's command line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace headrace::jobs {

// Split as a shell splits words. `--NCCL_DEBUG LEVEL`, which the toolkit takes for itself, is left out.
// kInvalidArgument names an option that the platform gives mpirun itself (which hosts there are, how many ranks, how
// they are started), or a quote that is not closed.
Result<std::vector<std::string>> SplitMpiOptions(std::string_view text);

}  // namespace headrace::jobs
