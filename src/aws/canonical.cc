#include "aws/canonical.h"

#include <algorithm>

#include <fmt/format.h>
#include <strings.h>

#include "aws/digest.h"

namespace headrace::aws {
namespace {

// "/a/./b/../c//d/" to "/a/c/d/".
std::string WithoutDotSegments(std::string_view path) {
  std::vector<std::string_view> kept;
  const bool trailing_slash = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
  }
  std::string joined;
  for (const std::string_view segment : kept) joined.append("/").append(segment);
  if (trailing_slash || kept.empty()) joined += '/';
  return joined;
}

void AppendCollapsed(std::string& out, std::string_view value) {
  bool blank = false, any = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      blank = true;
      continue;
    }
    if (blank && any) out += ' ';
    blank = false;
    any = true;
    out += c;
  }
}

}  // namespace

std::string CanonicalPath(std::string_view path, bool s3) {
  if (path.empty()) return "/";
  if (s3) return http::PercentEncode(http::PercentDecode(path), true);
  return http::PercentEncode(WithoutDotSegments(path), true);
}

std::string CanonicalQuery(std::string_view query, std::string_view leave_out) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [name, value] : http::QueryParameters(query)) {
    if (!leave_out.empty() && name == leave_out) continue;
    pairs.emplace_back(http::PercentEncode(name, false), http::PercentEncode(value, false));
  }
  std::sort(pairs.begin(), pairs.end());
  std::string joined;
  for (const auto& [name, value] : pairs) {
    if (!joined.empty()) joined += '&';
    joined.append(name).append("=").append(value);
  }
  return joined;
}

std::string CanonicalHeaders(const http::Headers& headers, const SignedHeaders& names) {
  std::string lines;
  for (const std::string& name : names) {
    lines.append(name).append(":");
    bool first = true;
    for (const auto& field : headers.fields()) {
      if (field.name.size() != name.size() || ::strncasecmp(field.name.data(), name.data(), name.size()) != 0) continue;
      if (!first) lines += ',';
      first = false;
      AppendCollapsed(lines, field.value);
    }
    lines += '\n';
  }
  return lines;
}

std::string JoinNames(const SignedHeaders& names) { return fmt::format("{}", fmt::join(names, ";")); }

std::string CanonicalRequest(std::string_view method, std::string_view canonical_path, std::string_view canonical_query,
                             const http::Headers& headers, const SignedHeaders& names, std::string_view payload_hash) {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", method, canonical_path, canonical_query,
                     CanonicalHeaders(headers, names), JoinNames(names), payload_hash);
}

std::string StringToSign(std::string_view date, std::string_view scope, std::string_view canonical_request) {
  return fmt::format("{}\n{}\n{}\n{}", kSigV4Algorithm, date, scope, Hex(Sha256(canonical_request)));
}

std::string DeriveSigningKey(std::string_view secret, std::string_view day, std::string_view region,
                             std::string_view service) {
  const std::string of_day = HmacSha256("AWS4" + std::string(secret), day);
  return HmacSha256(HmacSha256(HmacSha256(of_day, region), service), "aws4_request");
}

}  // namespace headrace::aws
