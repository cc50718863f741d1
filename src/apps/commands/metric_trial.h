// The two ends of `headrace metrics --definitions FILE --log FILE`: definitions as people have them at hand, and the
// report. What is in between is jobs/metrics/metric_trial.h, on the code that jobs use.
#pragma once

#include <ostream>
#include <string_view>
#include <vector>

#include "apps/command.h"
#include "base/result.h"
#include "jobs/metrics/metric_trial.h"

namespace headrace::apps {

// From JSON: the list of {"Name", "Regex"} itself, or anything that holds it where CreateTrainingJob's request and
// DescribeTrainingJob's answer do. kInvalidArgument says what CreateTrainingJob would, and names misspelt keys.
Result<std::vector<jobs::MetricDefinition>> ParseMetricDefinitions(std::string_view text);

void PrintMetricTrial(const std::vector<jobs::MetricFinding>& findings, const jobs::MetricTrial& trial,
                      OutputFormat format, std::ostream& out);

}  // namespace headrace::apps
