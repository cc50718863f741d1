// If-Match and its like on reads, and Range.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "api/s3/exchange.h"

namespace headrace::api::s3 {

enum class ConditionOutcome { kGoOn, kNotModified };

// Judges If-Match, If-None-Match, If-Modified-Since and If-Unmodified-Since, each with `prefix` in front (""
// or "x-amz-copy-source-"). PreconditionFailed. A copy's source answers PreconditionFailed instead of kNotModified.
Reply<ConditionOutcome> CheckReadConditions(const Exchange& exchange, const store::Object& object,
                                            std::string_view prefix);

struct ByteRange {
  uint64_t first = 0, size = 0;
};

// The one range of "bytes=FIRST-LAST", "bytes=FIRST-" or "bytes=-COUNT"; nothing for any other text, which is ignored.
// InvalidRange when it lies outside.
Reply<std::optional<ByteRange>> ReadRange(std::string_view header, uint64_t size);

}  // namespace headrace::api::s3
