#include "aws/header_text.h"

#include <algorithm>

#include "aws/digest.h"

namespace headrace::aws {
namespace {

// 60 characters of base64 and the 12 of "=?UTF-8?B?" and "?=".
constexpr size_t kBytesOfAWord = 45;

std::string EncodedWord(std::string_view bytes) { return "=?UTF-8?B?" + Base64(bytes) + "?="; }

}  // namespace

bool IsHeaderText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= 0x20 && c <= 0x7E) || c == '\t'; });
}

bool IsHeaderName(std::string_view name) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kOthers.find(c) != std::string_view::npos;
  });
}

size_t Utf8CharacterSize(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0), second = byte(1);
  if (text.empty()) return 0;
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
    return follows(1) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
    return follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t size = Utf8CharacterSize(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string FromLatin1(std::string_view text) {
  std::string utf8;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      utf8 += c;
    } else {
      utf8 += {static_cast<char>(0xC0 | (byte >> 6)), static_cast<char>(0x80 | (byte & 0x3F))};
    }
  }
  return utf8;
}

std::string EncodeHeaderText(std::string_view text) {
  if (IsHeaderText(text)) return std::string(text);
  const std::string utf8 = IsUtf8(text) ? std::string(text) : FromLatin1(text);
  std::string words;
  for (std::string_view rest = utf8; !rest.empty();) {
    size_t taken = 0;
    while (taken < rest.size()) {
      const size_t size = Utf8CharacterSize(rest.substr(taken));
      if (taken + size > kBytesOfAWord) break;
      taken += size;
    }
    if (!words.empty()) words += ' ';
    words += EncodedWord(rest.substr(0, taken));
    rest.remove_prefix(taken);
  }
  return words;
}

}  // namespace headrace::aws
