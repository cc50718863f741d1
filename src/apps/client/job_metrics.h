// The metrics that were cut out of a training job's log, read from a running server.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "apps/client/api_client.h"

namespace headrace::apps {

// GetMetricData's results, {"Id", "Label", "Timestamps", "Values"} each, oldest first, of the metrics that carry the
// job's name; one a metric. `described` is DescribeTrainingJob's answer, `period` the seconds that one value stands
// for. Throws headrace::Error.
nlohmann::json ReadJobMetrics(const ApiClient& client, const nlohmann::json& described, int64_t period,
                              const std::string& statistic);

}  // namespace headrace::apps
