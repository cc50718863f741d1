// What a person needs of pip's output when it failed.
#pragma once

#include <string>
#include <vector>

namespace headrace::jobs {

// From the last lines that pip printed: whether the package index was out of reach, and pip's own errors; warnings that
// would fill a FailureReason are left out.
std::string PipFailure(const std::vector<std::string>& last_lines);

}  // namespace headrace::jobs
