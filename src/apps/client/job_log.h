// JobLog: a training job's log, read from a running server as far as it has come, and then what has come since.
#pragma once

#include <functional>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "apps/client/api_client.h"

namespace headrace::apps {

class JobLog {
 public:
  // An event has "timestamp" and "message".
  using Take = std::function<void(const std::string& stream, const nlohmann::json& event)>;

  // `client` stays the caller's and outlives this.
  JobLog(const ApiClient& client, std::string job) : client_(client), job_(std::move(job)) {}

  // The events that came in since the last call, stream by stream, each stream in its order. Throws headrace::Error.
  void ForEachNew(const Take& take);

 private:
  void ReadStream(const std::string& stream, const Take& take);

  const ApiClient& client_;
  const std::string job_;
  std::map<std::string, std::string> tokens_;  // by stream
};

}  // namespace headrace::apps
