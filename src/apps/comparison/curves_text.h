// The jobs' curves for a terminal: of each metric one small chart a job, side by side, with axes in common.
#pragma once

#include <string>
#include <vector>

#include "apps/comparison/compared_job.h"

namespace headrace::apps::comparison {

// Lines of at most `columns` characters where that leaves each chart at least 12; UTF-8, drawn with Braille's dots.
std::string CurvesAsText(const std::vector<ComparedJob>& jobs, int columns);

}  // namespace headrace::apps::comparison
