// ModelClient: asks the model servers of one transform job, and asks again where that may help.
#pragma once

#include <atomic>
#include <string>

#include "base/result.h"
#include "http/client.h"
#include "jobs/hosting/routes.h"
#include "jobs/transform/transform_settings.h"

namespace headrace::jobs {

class ModelClient {
 public:
  // All outlive the client. Thread-safe.
  ModelClient(http::Client& client, EndpointRoutes& routes, const TransformSettings& settings,
              const std::atomic<bool>& stop)
      : client_(client), routes_(routes), settings_(settings), stop_(stop) {}

  struct Failure {
    int status = 0;    // 0: there was no answer
    std::string text;  // what the model said, or why there is no answer
    bool no_instance = false;
    bool asking_failed() const { return status == 0; }
  };
  // The body of the answer 200. Answers of 429 and 5xx and missing ones are asked again, `retries` times.
  tl::expected<std::string, Failure> Invoke(const std::string& body);

 private:
  Result<Lease> TakeInstance();
  tl::expected<std::string, Failure> Ask(const http::ClientRequest& request);

  http::Client& client_;
  EndpointRoutes& routes_;
  const TransformSettings& settings_;
  const std::atomic<bool>& stop_;
};

}  // namespace headrace::jobs
