// Points in time in the spellings of the AWS protocols.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace headrace::aws {

std::string Iso8601(UnixMillis time);        // 2026-01-02T03:04:05Z, with .678 when there are milliseconds
std::string Iso8601Millis(UnixMillis time);  // 2026-01-02T03:04:05.678Z, as S3 writes it
std::string BasicIso8601(UnixMillis time);   // 20260102T030405Z, as signatures have it
std::string HttpDate(UnixMillis time);       // Fri, 02 Jan 2026 03:04:05 GMT
std::optional<UnixMillis> ParseIso8601(std::string_view text);  // extended or basic form, Z or an offset
std::optional<UnixMillis> ParseHttpDate(std::string_view text);

}  // namespace headrace::aws
