#include "jobs/training/s3_uri.h"

namespace headrace::jobs {

Result<S3Uri> ParseS3Uri(std::string_view uri) {
  std::string_view rest = uri;
  if (rest.starts_with("s3://")) {
    rest.remove_prefix(5);
  } else if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
    const auto slash = rest.find('/');
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
  } else {
    return Fail(ErrorCode::kInvalidArgument, "found '{}', wanted s3://BUCKET/KEY", uri);
  }
  const auto slash = rest.find('/');
  S3Uri parsed{std::string(rest.substr(0, slash)),
               slash == std::string_view::npos ? "" : std::string(rest.substr(slash + 1))};
  if (parsed.bucket.empty())
    return Fail(ErrorCode::kInvalidArgument, "found '{}', which names no bucket; wanted s3://BUCKET/KEY", uri);
  return parsed;
}

std::string OutputPrefix(const S3Uri& output_path, std::string_view job_name) {
  std::string prefix = output_path.key;
  while (prefix.ends_with('/')) prefix.pop_back();
  if (!prefix.empty()) prefix += '/';
  return fmt::format("{}{}/output/", prefix, job_name);
}

}  // namespace headrace::jobs
