// Calls to the services with JSON, as subcommands make them.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "headrace/sagemaker.h"

#include "base/result.h"

namespace headrace::apps {

class ApiClient {
 public:
  explicit ApiClient(sagemaker::Session session) : session_(std::move(session)) {}

  // `service`: "sagemaker", "logs", "cloudwatch" or "headrace". The error says what the service refuses, or that nobody
  // answers.
  Result<nlohmann::json> Call(std::string_view service, const std::string& operation, const nlohmann::json& input,
                              const sagemaker::CallOptions& options = {}) const;

 private:
  const sagemaker::Client& ClientOf(std::string_view service) const;

  sagemaker::Session session_;
};

}  // namespace headrace::apps
