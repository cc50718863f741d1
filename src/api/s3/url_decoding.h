// URL-encoded text in header values, where a percent sign without two digits is an error.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace headrace::api::s3 {

enum class Plus { kIsPlus, kIsBlank };

// Nothing for a percent sign without two hexadecimal digits.
std::optional<std::string> DecodeUrlText(std::string_view text, Plus plus);

}  // namespace headrace::api::s3
