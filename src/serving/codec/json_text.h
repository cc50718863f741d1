// What the readers of JSON requests share: simdjson's errors as ours, and what TensorFlow Serving takes beyond JSON.
#pragma once

#include <cctype>
#include <limits>
#include <string_view>

#include <simdjson.h>

#include "base/result.h"

namespace headrace::serving {

inline constexpr size_t kShown = 40;  // characters of a value in a message

inline tl::unexpected<Error> FailJson(simdjson::error_code code) {
  if (code == simdjson::EMPTY) return Fail(ErrorCode::kInvalidArgument, "JSON Parse error: The document is empty");
  return Fail(ErrorCode::kInvalidArgument, "JSON Parse error: {}", simdjson::error_message(code));
}

#define HEADRACE_JSON(declaration, expression)                                                                      \
  HEADRACE_JSON_(HEADRACE_CONCAT(headrace_json_, __LINE__), HEADRACE_CONCAT(headrace_code_, __LINE__), declaration, \
                 expression)
#define HEADRACE_JSON_(result, code, declaration, expression)        \
  auto result = (expression);                                        \
  if (const auto code = result.error(); code) return FailJson(code); \
  declaration = std::move(result).value_unsafe()

inline std::string_view Shown(std::string_view token) {
  while (!token.empty() && std::isspace(static_cast<unsigned char>(token.back())) != 0) token.remove_suffix(1);
  return token.substr(0, kShown);
}

// The first character of a value.
inline char FirstOf(simdjson::ondemand::value& value) {
  const std::string_view token = value.raw_json_token();
  return token.empty() ? '\0' : token[0];
}

// NaN, Infinity and Inf, which no JSON number is; and numbers too large for a double, which are infinite.
bool SpecialNumber(std::string_view token, double& number);

// The only field of {"b64": "…"} as bytes; `what` is for messages.
Result<std::string> Base64Object(simdjson::ondemand::object object, const std::string& what);

}  // namespace headrace::serving
