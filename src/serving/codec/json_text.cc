#include "serving/codec/json_text.h"

#include "serving/codec/base64.h"

namespace headrace::serving {

bool SpecialNumber(std::string_view token, double& number) {
  while (!token.empty() && std::isspace(static_cast<unsigned char>(token.back())) != 0) token.remove_suffix(1);
  const bool minus = !token.empty() && token[0] == '-';
  if (minus) token.remove_prefix(1);
  if (token == "NaN") {
    number = std::numeric_limits<double>::quiet_NaN();
  } else if (token == "Infinity" || token == "Inf") {
    number = std::numeric_limits<double>::infinity();
  } else {
    return false;
  }
  if (minus) number = -number;
  return true;
}

Result<std::string> Base64Object(simdjson::ondemand::object object, const std::string& what) {
  std::optional<std::string> bytes;
  size_t fields = 0;
  for (auto entry : object) {
    HEADRACE_JSON(simdjson::ondemand::field field, std::move(entry));
    HEADRACE_JSON(const std::string_view key, field.unescaped_key());
    if (key != "b64" || fields++ > 0)
      return Fail(ErrorCode::kInvalidArgument, "{}: found an object, wanted a list or {{\"b64\": …}}", what);
    HEADRACE_JSON(const std::string_view text, field.value().get_string());
    bytes = DecodeBase64(text);
    if (!bytes) return Fail(ErrorCode::kInvalidArgument, "{}: its b64 is no base64", what);
  }
  if (fields == 0) return Fail(ErrorCode::kInvalidArgument, "{}: found an empty object", what);
  return std::move(*bytes);
}

}  // namespace headrace::serving
