// Where programs of this machine lie.
#pragma once

#include <string>

#include "base/result.h"

namespace headrace::jobs {

// The absolute path of a program that this machine's owner has named. A name without a slash is looked for in the PATH
// of this process, and never in one that a request has brought. kNotFound.
Result<std::string> FindProgram(const std::string& name);

}  // namespace headrace::jobs
