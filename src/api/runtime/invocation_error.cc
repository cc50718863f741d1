#include "api/runtime/invocation_error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace headrace::api::runtime {
namespace {

constexpr size_t kLongestOriginalMessage = 8192;

http::Response ErrorReply(int status, const std::string& code, const nlohmann::json& document) {
  http::Response response = http::TextResponse(status, "application/json",
                                               document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  if (!code.empty()) response.headers.Set("x-amzn-ErrorType", code);
  return response;
}

}  // namespace

http::Response InvocationError(int status, const std::string& code, const std::string& message) {
  return ErrorReply(status, code, {{"Message", message}, {"message", message}});
}

http::Response ModelError(const aws::Call& call, const ModelFailure& failure) {
  const bool client = failure.status >= 400 && failure.status < 500;
  const std::string body = failure.body.substr(0, kLongestOriginalMessage);
  const std::string group = "/aws/sagemaker/Endpoints/" + failure.endpoint;
  const std::string message = fmt::format(
      "Received {} error ({}) from primary with message \"{}\". See the log group {} in account {} for more "
      "information.",
      client ? "client" : "server", failure.status, body, group, call.caller.account_id);
  const std::string stream = fmt::format("arn:aws:logs:{}:{}:log-group:{}:log-stream:{}/{}", call.region,
                                         call.caller.account_id, group, failure.variant, failure.instance);
  return ErrorReply(424, "ModelError",
                    {{"Message", message},
                     {"message", message},
                     {"OriginalStatusCode", failure.status},
                     {"OriginalMessage", body},
                     {"LogStreamArn", stream}});
}

}  // namespace headrace::api::runtime
