// Where a transform job's outputs go.
#pragma once

#include <string>

#include "base/result.h"

namespace headrace::jobs {

struct S3OutputPlace {
  std::string bucket, prefix;  // "" or ends with a slash
  std::string KeyOf(const std::string& relative) const { return prefix + relative + ".out"; }
};

// Of S3OutputPath.
Result<S3OutputPlace> ParseOutputPlace(const std::string& uri);

}  // namespace headrace::jobs
