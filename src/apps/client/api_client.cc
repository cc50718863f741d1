#include "apps/client/api_client.h"

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <optional>

#include "apps/platform/data_directory.h"
#include "base/clock.h"
#include "http/client.h"

namespace headrace::apps {
namespace {

constexpr std::chrono::seconds kPatience{60};

struct Protocol {
  const char *target_prefix, *version;
};
const std::map<std::string, Protocol>& Protocols() {
  static const std::map<std::string, Protocol> kProtocols{{"sagemaker", {"SageMaker", "1.1"}},
                                                          {"logs", {"Logs_20140328", "1.1"}},
                                                          {"monitoring", {"GraniteServiceVersion20100801", "1.0"}}};
  return kProtocols;
}

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// "http://127.0.0.1:4567" apart.
Status Split(std::string_view endpoint, std::string& host, uint16_t& port) {
  constexpr std::string_view kScheme = "http://";
  const size_t colon = endpoint.rfind(':');
  if (endpoint.starts_with(kScheme) && colon > kScheme.size()) {
    host = endpoint.substr(kScheme.size(), colon - kScheme.size());
    if (host == "localhost") host = "127.0.0.1";
    std::string_view digits = endpoint.substr(colon + 1);
    if (digits.ends_with('/')) digits.remove_suffix(1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error == std::errc() && end == digits.data() + digits.size()) return {};
  }
  return Fail(ErrorCode::kInvalidArgument, "server: found {}, wanted http://ADDRESS:PORT", endpoint);
}

}  // namespace

Result<ApiClient> ApiClient::Find(const std::string& data_dir) {
  ApiClient client;
  std::string endpoint = Variable("AWS_ENDPOINT_URL");
  client.region_ = Variable("AWS_DEFAULT_REGION");
  client.credentials_ = {Variable("AWS_ACCESS_KEY_ID"), Variable("AWS_SECRET_ACCESS_KEY"),
                         Variable("AWS_SESSION_TOKEN")};
  if (endpoint.empty() || client.credentials_.access_key_id.empty()) {
    const DataDirectory directory(data_dir);
    HEADRACE_ASSIGN(const auto address, directory.ReadAddress());
    HEADRACE_ASSIGN(const auto keys, directory.ReadKeys());
    endpoint = address.endpoint;
    client.region_ = address.region;
    client.credentials_ = {keys.access_key_id, keys.secret_access_key, {}};
  }
  if (client.region_.empty()) client.region_ = "us-west-2";
  HEADRACE_TRY(Split(endpoint, client.host_, client.port_));
  return client;
}

Result<nlohmann::json> ApiClient::Call(const std::string& service, const std::string& operation,
                                       const nlohmann::json& input) const {
  const Protocol& protocol = Protocols().at(service);
  http::Request signed_request;
  signed_request.method = "POST";
  signed_request.target = signed_request.path = "/";
  signed_request.headers.Set("Host", fmt::format("{}:{}", host_, port_));
  signed_request.headers.Set("Content-Type", fmt::format("application/x-amz-json-{}", protocol.version));
  signed_request.headers.Set("X-Amz-Target", fmt::format("{}.{}", protocol.target_prefix, operation));
  http::ClientRequest request{.address = host_, .port = port_, .method = "POST"};
  request.body = input.dump();
  aws::Sign(signed_request, credentials_, {region_, service}, SystemClock().Now(), aws::PayloadHash(request.body));
  for (const auto& field : signed_request.headers.fields()) {
    if (field.name != "Host") request.headers.Add(field.name, field.value);
  }
  http::Client sender;
  HEADRACE_ASSIGN(const auto answer, http::SendAndWait(sender, request, kPatience));
  const auto reply = nlohmann::json::parse(answer.body.empty() ? "{}" : answer.body, nullptr, false);
  if (answer.status == 200 && !reply.is_discarded()) return reply;
  const auto text = [&](const char* member) {
    return reply.is_object() && reply.contains(member) && reply[member].is_string() ? reply[member].get<std::string>()
                                                                                    : std::string();
  };
  const std::string message = text("message").empty() ? text("Message") : text("message");
  return Fail(ErrorCode::kInvalidArgument, "{}: {}", operation,
              message.empty() ? fmt::format("status {}", answer.status) : message);
}

}  // namespace headrace::apps
