// Keys from STS, for profiles that stand for a role.
#include <nlohmann/json.hpp>

#include "aws/time.h"
#include "sagemaker/clients/call.h"
#include "sagemaker/clients/query.h"

namespace headrace::sagemaker {

Outcome<FoundCredentials> Configuration::AskStsFor(const std::string& operation,
                                                   const std::map<std::string, std::string>& parameters,
                                                   const FoundCredentials& asker) {
  const Service& sts = *FindService("sts");
  auto endpoint = EndpointOf(sts);
  if (!endpoint.ok()) return endpoint.error();
  if (auto may = CheckMayGo(asker, *endpoint); !may.ok()) return may.error();
  const std::string form = QueryForm(operation, sts.version, nlohmann::json(parameters));
  ServiceRequest request{.service = sts, .operation = operation, .body = form};
  request.sign = !asker.keys.access_key_id.empty();
  request.signer = asker.keys;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  auto reply = Send(*this, request, {});
  if (!reply.ok()) return reply.error();
  auto read = ReadQueryReply(operation, reply->body);
  if (!read.ok()) return read.error();
  const nlohmann::json keys = read->value("Credentials", nlohmann::json::object());
  const auto text = [&](const char* name) {
    return keys.is_object() && keys.contains(name) && keys[name].is_string() ? keys[name].get<std::string>() : "";
  };
  FoundCredentials found{{text("AccessKeyId"), text("SecretAccessKey"), text("SessionToken")},
                         "assume-role",
                         aws::ParseIso8601(text("Expiration")),
                         true};
  if (found.keys.access_key_id.empty() || found.keys.secret_access_key.empty())
    return LocalError(ErrorCode::kDataLoss, "InvalidReply", operation + ": the answer has no keys");
  return found;
}

}  // namespace headrace::sagemaker
