// The value of an enumeration whose texts are listed in its order.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace headrace::jobs {

template <typename Enum, size_t kCount>
constexpr std::optional<Enum> ValueOfText(const std::string_view (&texts)[kCount], std::string_view text) {
  for (size_t i = 0; i < kCount; ++i)
    if (texts[i] == text) return static_cast<Enum>(i);
  return std::nullopt;
}

}  // namespace headrace::jobs
