// The jobs' curves as a picture: a panel a metric, a line a job.
#pragma once

#include <string>
#include <vector>

#include "apps/comparison/compared_job.h"

namespace headrace::apps::comparison {

constexpr size_t kMostComparedJobs = 8;  // colours that people with any sight tell apart

std::string DrawSvg(const std::vector<ComparedJob>& jobs);
std::string DrawPng(const std::vector<ComparedJob>& jobs);  // two pixels a unit of the SVG

}  // namespace headrace::apps::comparison
