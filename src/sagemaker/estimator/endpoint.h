// Hosting: from a job's model to an endpoint that answers; and the series of a job's metrics.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sagemaker/estimator/documents.h"

namespace headrace::sagemaker {

struct Hosting {
  std::string base_name, model_data, image_uri, role;
  int instance_count = 1;
  std::string instance_type;
  std::vector<Tag> tags;
};

// Makes the model `name`.
void CreateModel(const Session& session, const std::string& name, const Hosting& hosting,
                 const std::map<std::string, std::string>& environment);

// Makes model, endpoint configuration and endpoint, and waits where `options` say so.
Predictor Deploy(const Session& session, const Hosting& hosting, const DeployOptions& options);

// Waits while the endpoint is being made or changed. kFailedPrecondition with the reason when that failed.
void WaitForEndpoint(const Session& session, const std::string& name, std::chrono::milliseconds poll);

std::vector<MetricSeries> JobMetrics(const Session& session, const Json& job, const std::vector<std::string>& names);

}  // namespace headrace::sagemaker
