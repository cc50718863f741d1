// Base64 as JSON requests carry bytes: the standard alphabet, with or without padding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace headrace::serving {

std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace headrace::serving
