// A process that is nobody's child and outlives whoever started it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace headrace::jobs {

// Starts arguments[0] (a path) in a session of its own; its output is appended to `output`. It inherits no descriptors.
Status StartDetached(const std::vector<std::string>& arguments, const std::string& output);

}  // namespace headrace::jobs
