#include "api/s3/conditions.h"

#include <algorithm>
#include <charconv>

#include "aws/time.h"

namespace headrace::api::s3 {
namespace {

// Whether `list`, ETags with commas between them or "*", names `etag`.
bool NamesEtag(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    std::string_view one = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    if (one == "*" || Unquoted(one) == etag) return true;
  }
  return false;
}

// Dates have seconds only.
UnixMillis WholeSeconds(UnixMillis time) { return time / 1000 * 1000; }

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size()) return std::nullopt;
  return error == std::errc() ? value : UINT64_MAX;
}

}  // namespace

Reply<ConditionOutcome> CheckReadConditions(const Exchange& exchange, const store::Object& object,
                                            std::string_view prefix) {
  const auto header = [&](std::string_view name) {
    return exchange.request.headers.Find(std::string(prefix) + std::string(name));
  };
  const UnixMillis modified = WholeSeconds(object.modified);
  if (const std::string* match = header("If-Match")) {
    if (!NamesEtag(*match, object.etag)) return PreconditionFailed("If-Match");
  } else if (const std::string* since = header("If-Unmodified-Since")) {
    if (const auto time = aws::ParseHttpDate(*since); time && modified > *time)
      return PreconditionFailed("If-Unmodified-Since");
  }
  bool unchanged = false;
  if (const std::string* none = header("If-None-Match")) {
    unchanged = NamesEtag(*none, object.etag);
  } else if (const std::string* since = header("If-Modified-Since")) {
    // A date that has not come yet says nothing.
    const auto time = aws::ParseHttpDate(*since);
    unchanged = time && *time <= exchange.call.now && modified <= *time;
  }
  if (unchanged && !prefix.empty()) return PreconditionFailed("If-None-Match");
  return unchanged ? ConditionOutcome::kNotModified : ConditionOutcome::kGoOn;
}

Reply<std::optional<ByteRange>> ReadRange(std::string_view header, uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  const std::optional<ByteRange> ignored;
  if (!header.starts_with(kUnit) || header.find(',') != std::string_view::npos) return ignored;
  const std::string_view text = header.substr(kUnit.size());
  const size_t dash = text.find('-');
  if (dash == std::string_view::npos) return ignored;
  const auto first = Number(text.substr(0, dash));
  const auto last = Number(text.substr(dash + 1));
  if (!first && dash > 0) return ignored;
  if (!last && (dash + 1 < text.size() || !first)) return ignored;
  ServiceError outside{"InvalidRange", "The requested range is not satisfiable", 416, {}, {}};
  outside.details = {{"RangeRequested", std::string(header)}, {"ActualObjectSize", std::to_string(size)}};
  if (!first) {  // the last COUNT bytes
    if (*last == 0 || size == 0) return Refusal(std::move(outside));
    const uint64_t count = std::min(*last, size);
    return std::optional<ByteRange>({size - count, count});
  }
  if (last && *last < *first) return ignored;
  if (*first >= size) return Refusal(std::move(outside));
  const uint64_t end = last ? std::min(*last, size - 1) : size - 1;
  return std::optional<ByteRange>({*first, end - *first + 1});
}

}  // namespace headrace::api::s3
