// Calls to the services with JSON, as subcommands make them.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "headrace/sagemaker.h"

#include "base/result.h"

namespace headrace::apps {

class ApiClient {
 public:
  // How an operation is asked; `service`: "sagemaker", "logs", "cloudwatch" or "headrace".
  using Ask = std::function<Result<nlohmann::json>(std::string_view service, const std::string& operation,
                                                   const nlohmann::json& input, const sagemaker::CallOptions& options)>;

  explicit ApiClient(sagemaker::Session session);
  // Of a process that has the operations itself.
  explicit ApiClient(Ask ask) : ask_(std::move(ask)) {}

  // The error says what the service refuses, or that nobody answers.
  Result<nlohmann::json> Call(std::string_view service, const std::string& operation, const nlohmann::json& input,
                              const sagemaker::CallOptions& options = {}) const {
    return ask_(service, operation, input, options);
  }

 private:
  Ask ask_;
};

}  // namespace headrace::apps
