#include "apps/client/api_client.h"

namespace headrace::apps {
namespace {

const sagemaker::Client& ClientOf(const sagemaker::Session& session, std::string_view service) {
  if (service == "logs") return session.logs();
  if (service == "cloudwatch") return session.cloudwatch();
  if (service == "headrace") return session.console();
  return session.sagemaker();
}

}  // namespace

ApiClient::ApiClient(sagemaker::Session session)
    : ask_([session = std::move(session)](std::string_view service, const std::string& operation,
                                          const nlohmann::json& input,
                                          const sagemaker::CallOptions& options) -> Result<nlohmann::json> {
        const auto reply = ClientOf(session, service).Call(operation, input.dump(), options);
        if (!reply) return Fail(reply.error().code(), "{}: {}", operation, reply.error().what());
        return nlohmann::json::parse(reply->empty() ? "{}" : *reply);
      }) {}

}  // namespace headrace::apps
