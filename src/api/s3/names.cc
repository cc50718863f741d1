#include "api/s3/names.h"

#include <algorithm>
#include <set>

#include <strings.h>

#include "aws/header_text.h"

namespace headrace::api::s3 {
namespace {

constexpr size_t kMaxKeyBytes = 1024;
constexpr size_t kTagsOfAnObject = 10;  // a bucket may have more
constexpr size_t kMaxTagKey = 128, kMaxTagValue = 256;

bool LowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool LooksLikeAddress(std::string_view name) {
  return std::count(name.begin(), name.end(), '.') == 3 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

size_t CharactersOf(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// Of AWS itself, in any case.
bool IsReserved(std::string_view key) { return key.size() >= 4 && ::strncasecmp(key.data(), "aws:", 4) == 0; }

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
  if (key.find('\0') != std::string_view::npos || !aws::IsUtf8(key))
    return aws::Refuse("InvalidURI", "Couldn't parse the specified URI: the key is not UTF-8 without NUL.");
  return {};
}

Reply<void> CheckTags(const store::Pairs& tags, size_t limit) {
  if (tags.size() > limit)
    return aws::Refuse("BadRequest", fmt::format("{} cannot be greater than {}",
                                                 limit > kTagsOfAnObject ? "Bucket tag count" : "Object tags", limit));
  std::set<std::string_view> seen;
  for (const auto& [key, value] : tags) {
    if (key.empty() || CharactersOf(key) > kMaxTagKey)
      return aws::Refuse("InvalidTag", "The TagKey you have provided is invalid");
    if (IsReserved(key))
      return aws::Refuse("InvalidTag", limit > kTagsOfAnObject ? "System tags cannot be added/updated by requester"
                                                               : "Your TagKey cannot be prefixed with aws:");
    if (CharactersOf(value) > kMaxTagValue)
      return aws::Refuse("InvalidTag", "The TagValue you have provided is invalid");
    if (!seen.insert(key).second) return aws::Refuse("InvalidTag", "Cannot provide multiple Tags with the same key");
  }
  return {};
}

}  // namespace headrace::api::s3
