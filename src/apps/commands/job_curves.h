// How a terminal shows training jobs' curves.
#pragma once

#include <string>
#include <vector>

#include "apps/comparison/compared_job.h"

namespace headrace::apps {

// As wide as the terminal that the standard output is, 100 characters where it is none.
std::string CurvesForTerminal(const std::vector<comparison::ComparedJob>& jobs);

}  // namespace headrace::apps
