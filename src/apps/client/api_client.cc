#include "apps/client/api_client.h"

namespace headrace::apps {

const sagemaker::Client& ApiClient::ClientOf(std::string_view service) const {
  if (service == "logs") return session_.logs();
  if (service == "cloudwatch") return session_.cloudwatch();
  if (service == "headrace") return session_.console();
  return session_.sagemaker();
}

Result<nlohmann::json> ApiClient::Call(std::string_view service, const std::string& operation,
                                       const nlohmann::json& input, const sagemaker::CallOptions& options) const {
  const auto reply = ClientOf(service).Call(operation, input.dump(), options);
  if (!reply) return Fail(reply.error().code(), "{}: {}", operation, reply.error().what());
  return nlohmann::json::parse(reply->empty() ? "{}" : *reply);
}

}  // namespace headrace::apps
