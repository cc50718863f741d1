// Unguessable text from the operating system's random source.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace headrace::store {

inline constexpr std::string_view kHexDigits = "0123456789abcdef";
inline constexpr std::string_view kBase32Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
inline constexpr std::string_view kBase64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// `length` characters, each equally likely. The alphabet's size must be a power of two.
std::string RandomText(std::string_view alphabet, size_t length);
// `length` decimal digits.
std::string RandomDigits(size_t length);

}  // namespace headrace::store
