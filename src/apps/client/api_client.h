// Calls to a running server's JSON services, as subcommands make them: signed like any client's.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "aws/sign.h"
#include "base/result.h"

namespace headrace::apps {

class ApiClient {
 public:
  // The server and keys of the environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, …) where it names a server, else those
  // of the data directory. kNotFound with what to do when neither is there.
  static Result<ApiClient> Find(const std::string& data_dir);

  // `service`: "sagemaker", "logs" or "monitoring". kInvalidArgument carries the service's refusal, kUnavailable says
  // that nobody answers.
  Result<nlohmann::json> Call(const std::string& service, const std::string& operation,
                              const nlohmann::json& input) const;

 private:
  std::string host_;  // "127.0.0.1"
  uint16_t port_ = 0;
  std::string region_;
  aws::Credentials credentials_;
};

}  // namespace headrace::apps
