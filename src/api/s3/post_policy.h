// The policy of an upload from a form: until when it holds, and what the form's fields must be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/s3/errors.h"
#include "base/clock.h"

namespace headrace::api::s3 {

// content-length-range.
struct SizeRange {
  uint64_t least = 0, most = uint64_t{5} << 30;
};

using FormFields = std::vector<std::pair<std::string, std::string>>;

// Judges `fields` (names in lower case, with `bucket` among them) by `policy`, a JSON text: AccessDenied where it has
// expired, a condition fails or a field stands in no condition; InvalidPolicyDocument.
Reply<SizeRange> CheckPostPolicy(const std::string& policy, const FormFields& fields, UnixMillis now);

}  // namespace headrace::api::s3
