// Keys that somebody hands out as a JSON document.
#include <nlohmann/json.hpp>

#include "aws/time.h"
#include "sagemaker/credentials/places.h"

namespace headrace::sagemaker {

Found KeysOfDocument(const std::string& text, const char* token_name, const std::string& method) {
  const auto document = nlohmann::json::parse(text, nullptr, false);
  const auto member = [&](const char* name) {
    return document.is_object() && document.contains(name) && document[name].is_string()
               ? document[name].get<std::string>()
               : "";
  };
  FoundCredentials found{{member("AccessKeyId"), member("SecretAccessKey"), member(token_name)}, method, {}, true};
  if (found.keys.access_key_id.empty() || found.keys.secret_access_key.empty())
    return WrongConfiguration(method + ": the answer has no AccessKeyId and SecretAccessKey");  // what it has is secret
  if (const std::string end = member("Expiration"); !end.empty()) {
    found.expires = aws::ParseIso8601(end);
    if (!found.expires) return WrongConfiguration(method + ": Expiration: wanted a time of ISO 8601");
  }
  return std::optional(found);
}

}  // namespace headrace::sagemaker
