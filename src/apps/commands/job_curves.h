// A training job's metrics as curves, and how a terminal shows them.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "apps/client/api_client.h"
#include "apps/comparison/compared_job.h"

namespace headrace::apps {

// `described` is DescribeTrainingJob's answer; `wanted`: metrics, none stands for all. Throws headrace::Error.
std::vector<comparison::Curve> ReadCurves(const ApiClient& client, const nlohmann::json& described,
                                          const std::vector<std::string>& wanted);

// As wide as the terminal that the standard output is, 100 characters where it is none.
std::string CurvesForTerminal(const std::vector<comparison::ComparedJob>& jobs);

}  // namespace headrace::apps
