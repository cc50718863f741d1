#include "api/s3/url_decoding.h"

#include <algorithm>
#include <cctype>

#include "http/message.h"

namespace headrace::api::s3 {

std::optional<std::string> DecodeUrlText(std::string_view text, Plus plus) {
  const auto is_digit = [&](size_t i) { return i < text.size() && std::isxdigit(static_cast<unsigned char>(text[i])); };
  for (size_t i = text.find('%'); i != std::string_view::npos; i = text.find('%', i + 1))
    if (!is_digit(i + 1) || !is_digit(i + 2)) return std::nullopt;
  std::string encoded(text);
  if (plus == Plus::kIsBlank) std::replace(encoded.begin(), encoded.end(), '+', ' ');
  return http::PercentDecode(encoded);
}

}  // namespace headrace::api::s3
