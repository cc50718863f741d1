// A training job read from a server, as it is compared: its description, its log, its metrics.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "apps/client/api_client.h"
#include "apps/comparison/compared_job.h"

namespace headrace::apps::comparison {

// `metrics`: whose curves are wanted, none stands for all. Throws headrace::Error.
ComparedJob ReadJob(const ApiClient& client, const std::string& name, const std::vector<std::string>& metrics,
                    const InstancePrices& prices, std::optional<int64_t> batch_size);

// `described` is DescribeTrainingJob's answer. Throws headrace::Error.
std::vector<Curve> ReadCurves(const ApiClient& client, const nlohmann::json& described,
                              const std::vector<std::string>& wanted);

}  // namespace headrace::apps::comparison
