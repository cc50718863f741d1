#include "api/s3/names.h"

#include <algorithm>
#include <set>

namespace headrace::api::s3 {
namespace {

constexpr size_t kMaxKeyBytes = 1024;
constexpr size_t kMaxTagKey = 128, kMaxTagValue = 256;

bool LowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool LooksLikeAddress(std::string_view name) {
  return std::count(name.begin(), name.end(), '.') == 3 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

size_t CharactersOf(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// Length of the UTF-8 character at the beginning of `text`, or 0.
size_t CharacterSize(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0), second = byte(1);
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
    const size_t size = CharacterSize(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

}  // namespace

Reply<void> CheckBucketName(std::string_view name) {
  bool good = name.size() >= 3 && name.size() <= 63 && LowerOrDigit(name.front()) && LowerOrDigit(name.back()) &&
              !LooksLikeAddress(name) && name.find("..") == std::string_view::npos;
  for (const char c : name) good = good && (LowerOrDigit(c) || c == '.' || c == '-');
  if (good) return {};
  ServiceError error{"InvalidBucketName", "The specified bucket is not valid.", 400, {}, {}};
  error.details = {{"BucketName", std::string(name)}};
  return Refusal(std::move(error));
}

Reply<void> CheckKey(std::string_view key) {
  if (key.size() > kMaxKeyBytes) {
    ServiceError error{"KeyTooLongError", "Your key is too long", 400, {}, {}};
    error.details = {{"Size", std::to_string(key.size())}, {"MaxSizeAllowed", std::to_string(kMaxKeyBytes)}};
    return Refusal(std::move(error));
  }
  if (key.find('\0') != std::string_view::npos || !IsUtf8(key))
    return aws::Refuse("InvalidURI", "Couldn't parse the specified URI: the key is not UTF-8 without NUL.");
  return {};
}

Reply<void> CheckTags(const store::Pairs& tags, size_t limit) {
  if (tags.size() > limit)
    return aws::Refuse("BadRequest", fmt::format("Object tags cannot be greater than {}", limit));
  std::set<std::string_view> seen;
  for (const auto& [key, value] : tags) {
    if (key.empty() || CharactersOf(key) > kMaxTagKey)
      return aws::Refuse("InvalidTag", "The TagKey you have provided is invalid");
    if (CharactersOf(value) > kMaxTagValue)
      return aws::Refuse("InvalidTag", "The TagValue you have provided is invalid");
    if (!seen.insert(key).second) return aws::Refuse("InvalidTag", "Cannot provide multiple Tags with the same key");
  }
  return {};
}

}  // namespace headrace::api::s3
