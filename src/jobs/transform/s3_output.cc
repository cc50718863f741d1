#include "jobs/transform/s3_output.h"

#include "jobs/inputs/s3_uri.h"

namespace headrace::jobs {

Result<S3OutputPlace> ParseOutputPlace(const std::string& uri) {
  HEADRACE_ASSIGN(auto parsed, ParseS3Uri(uri));
  while (parsed.key.ends_with('/')) parsed.key.pop_back();
  if (!parsed.key.empty()) parsed.key += '/';
  return S3OutputPlace{std::move(parsed.bucket), std::move(parsed.key)};
}

}  // namespace headrace::jobs
