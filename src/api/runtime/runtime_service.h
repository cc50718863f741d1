// SageMaker's runtime: InvokeEndpoint, passed on to an instance of the endpoint.
#pragma once

#include <chrono>

#include "aws/service.h"
#include "http/client.h"
#include "jobs/hosting/hosting_service.h"

namespace headrace::api {

struct RuntimeOptions {
  jobs::EndpointRoutes& routes;      // all outlive the service
  jobs::InvocationMetrics& metrics;  // and the requests it is asked
  http::Client& client;
  size_t max_body_bytes = 6'291'456;             // the service's own limit
  std::chrono::milliseconds model_time{60'000};  // for the whole answer of a model
  // How long a request waits while the endpoint has no instance: one that has ended is being started again.
  std::chrono::milliseconds instance_time{30'000};
};

aws::RestService RuntimeService(RuntimeOptions options);

}  // namespace headrace::api
