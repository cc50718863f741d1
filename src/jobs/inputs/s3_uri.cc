#include "jobs/inputs/s3_uri.h"

#include <algorithm>
#include <cctype>

#include "http/message.h"

namespace headrace::jobs {
namespace {

constexpr size_t kLongestUri = 8192;  // a key has 1024 bytes at most, each of them perhaps percent-encoded

tl::unexpected<Error> NoS3Uri(std::string_view uri, std::string_view why) {
  const std::string shown(uri.substr(0, 300));
  return Fail(ErrorCode::kInvalidArgument, "found '{}'{}; wanted s3://BUCKET/KEY", shown, why);
}

bool IsBucketName(std::string_view name) {
  return !name.empty() && name.size() <= 255 && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
  });
}

// "BUCKET.s3.us-west-2.amazonaws.com" and "BUCKET.s3-us-west-2.amazonaws.com": what stands in front of the last mark.
// Nothing for hosts of Amazon's that are no bucket's: `is_s3` tells the service's own from others.
std::string_view BucketOfAmazonsHost(std::string_view host, bool& is_s3) {
  is_s3 = host.starts_with("s3.") || host.starts_with("s3-");
  size_t mark = 0;
  for (const std::string_view each : {".s3.", ".s3-"})
    if (const size_t at = host.rfind(each); at != std::string_view::npos) mark = std::max(mark, at);
  if (mark > 0) is_s3 = true;
  return host.substr(0, mark);
}

// Lower case, without a port. Empty for what is no host.
std::string HostOf(std::string_view authority) {
  if (authority.find('@') != std::string_view::npos) return {};
  const size_t behind_address = authority.starts_with('[') ? authority.find(']') : 0;
  if (behind_address == std::string_view::npos) return {};
  const size_t colon = authority.find(':', behind_address);
  if (colon != std::string_view::npos) {
    const std::string_view port = authority.substr(colon + 1);
    if (port.size() > 5 || port.find_first_not_of("0123456789") != std::string_view::npos) return {};
    authority = authority.substr(0, colon);
  }
  std::string host(authority);
  std::transform(host.begin(), host.end(), host.begin(), [](unsigned char c) { return std::tolower(c); });
  return host;
}

// The bucket that a host names, "" where the path does.
Result<std::string> BucketOfHost(std::string_view host, std::string_view uri) {
  constexpr std::string_view kLocal = ".localhost";
  if (host.ends_with(kLocal)) return std::string(host.substr(0, host.size() - kLocal.size()));
  if (!host.ends_with(".amazonaws.com") && !host.ends_with(".amazonaws.com.cn")) return std::string();
  bool is_s3 = false;
  const std::string_view bucket = BucketOfAmazonsHost(host, is_s3);
  if (!is_s3) return NoS3Uri(uri, ", whose host is not S3's");
  return std::string(bucket);
}

Result<S3Uri> Split(std::string_view path) {
  const size_t slash = std::min(path.find('/'), path.size());
  return S3Uri{std::string(path.substr(0, slash)), std::string(path.substr(std::min(slash + 1, path.size())))};
}

Result<S3Uri> ParseHttps(std::string_view rest, std::string_view uri) {
  if (rest.find_first_of("?#") != std::string_view::npos)
    return NoS3Uri(uri, ", which has a query (a '?' or '#' of a key is written %3F or %23)");
  const size_t slash = std::min(rest.find('/'), rest.size());
  const std::string host = HostOf(rest.substr(0, slash));
  if (host.empty()) return NoS3Uri(uri, ", which has no host");
  const std::string_view path = rest.substr(std::min(slash + 1, rest.size()));
  HEADRACE_ASSIGN(std::string bucket, BucketOfHost(host, uri));
  if (!bucket.empty()) return S3Uri{std::move(bucket), http::PercentDecode(path)};
  HEADRACE_ASSIGN(S3Uri parsed, Split(path));
  return S3Uri{http::PercentDecode(parsed.bucket), http::PercentDecode(parsed.key)};
}

}  // namespace

Result<S3Uri> ParseS3Uri(std::string_view uri) {
  constexpr std::string_view kS3 = "s3://", kHttps = "https://";
  if (uri.size() > kLongestUri) return NoS3Uri(uri, fmt::format(", which goes on for {} bytes", uri.size()));
  if (!uri.starts_with(kS3) && !uri.starts_with(kHttps)) return NoS3Uri(uri, "");
  HEADRACE_ASSIGN(S3Uri parsed,
                  uri.starts_with(kS3) ? Split(uri.substr(kS3.size())) : ParseHttps(uri.substr(kHttps.size()), uri));
  if (parsed.bucket.empty()) return NoS3Uri(uri, ", which names no bucket");
  if (!IsBucketName(parsed.bucket)) return NoS3Uri(uri, ", whose bucket cannot be");
  if (parsed.key.find('\0') != std::string::npos) return NoS3Uri(uri, ", whose key holds a zero byte");
  return parsed;
}

bool IsUri(std::string_view text) { return text.find("://") != std::string_view::npos; }

std::string OutputPrefix(const S3Uri& output_path, std::string_view job_name) {
  std::string prefix = output_path.key;
  while (prefix.ends_with('/')) prefix.pop_back();
  if (!prefix.empty()) prefix += '/';
  return fmt::format("{}{}/output/", prefix, job_name);
}

}  // namespace headrace::jobs
