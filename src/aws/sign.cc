#include "aws/sign.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "aws/canonical.h"
#include "aws/digest.h"
#include "aws/time.h"

namespace headrace::aws {
namespace {

// What proxies and HTTP stacks change on the way.
bool MaySign(std::string_view name) {
  constexpr std::array<std::string_view, 12> kNever = {
      "authorization", "connection",        "expect",  "keep-alive", "proxy-authenticate", "proxy-authorization", "te",
      "trailer",       "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id"};
  return std::find(kNever.begin(), kNever.end(), name) == kNever.end();
}

SignedHeaders SignableNames(const http::Headers& headers) {
  SignedHeaders names;
  for (const auto& field : headers.fields()) {
    std::string name = field.name;
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    if (MaySign(name)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string ScopeText(std::string_view date, const SigningScope& scope) {
  return fmt::format("{}/{}/{}/aws4_request", date.substr(0, 8), scope.region, scope.service);
}

std::string Signature(const Credentials& credentials, const SigningScope& scope, std::string_view date,
                      std::string_view canonical_request) {
  const std::string key =
      DeriveSigningKey(credentials.secret_access_key, date.substr(0, 8), scope.region, scope.service);
  return Hex(HmacSha256(key, StringToSign(date, ScopeText(date, scope), canonical_request)));
}

}  // namespace

std::string PayloadHash(std::string_view body) { return Hex(Sha256(body)); }

void Sign(http::Request& request, const Credentials& credentials, const SigningScope& scope, UnixMillis now,
          std::string_view payload_hash) {
  const std::string date = BasicIso8601(now);
  const bool s3 = scope.service == "s3";
  request.headers.Set("X-Amz-Date", date);
  if (!credentials.session_token.empty()) request.headers.Set("X-Amz-Security-Token", credentials.session_token);
  if (s3) request.headers.Set("X-Amz-Content-SHA256", std::string(payload_hash));
  const SignedHeaders names = SignableNames(request.headers);
  const std::string canonical = CanonicalRequest(request.method, CanonicalPath(request.path, s3),
                                                 CanonicalQuery(request.query), request.headers, names, payload_hash);
  request.headers.Set("Authorization", fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}",
                                                   kSigV4Algorithm, credentials.access_key_id, ScopeText(date, scope),
                                                   JoinNames(names), Signature(credentials, scope, date, canonical)));
}

std::string Presign(std::string_view method, std::string_view host, std::string_view path, std::string_view query,
                    const Credentials& credentials, const SigningScope& scope, UnixMillis now, int64_t valid_seconds) {
  const std::string date = BasicIso8601(now);
  std::string full(query);
  if (!full.empty()) full += '&';
  full += fmt::format(
      "X-Amz-Algorithm={}&X-Amz-Credential={}&X-Amz-Date={}&X-Amz-Expires={}&X-Amz-SignedHeaders=host", kSigV4Algorithm,
      http::PercentEncode(credentials.access_key_id + "/" + ScopeText(date, scope), false), date, valid_seconds);
  if (!credentials.session_token.empty())
    full += "&X-Amz-Security-Token=" + http::PercentEncode(credentials.session_token, false);
  http::Headers headers;
  headers.Add("host", std::string(host));
  const std::string canonical = CanonicalRequest(method, CanonicalPath(path, scope.service == "s3"),
                                                 CanonicalQuery(full), headers, {"host"}, kUnsignedPayload);
  return full + "&X-Amz-Signature=" + Signature(credentials, scope, date, canonical);
}

}  // namespace headrace::aws
