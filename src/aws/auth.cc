#include "aws/auth.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "aws/digest.h"
#include "aws/limits.h"
#include "aws/signature_v2.h"
#include "aws/time.h"

namespace headrace::aws {
namespace {

constexpr std::string_view kMismatchText =
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details.";

tl::unexpected<AuthFailure> Failed(AuthProblem problem, std::string message,
                                   std::vector<std::pair<std::string, std::string>> details = {}) {
  return tl::unexpected<AuthFailure>(AuthFailure{problem, std::move(message), std::move(details)});
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

const std::string* Find(const Parameters& parameters, std::string_view name) {
  for (const auto& [key, value] : parameters)
    if (key == name) return &value;
  return nullptr;
}

std::string ValueOf(const Parameters& parameters, std::string_view name) {
  const std::string* value = Find(parameters, name);
  return value != nullptr ? *value : std::string();
}

std::vector<std::string_view> SplitAt(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string_view Trim(std::string_view text) {
  const size_t start = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(start);
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

// AKID/20260102/us-west-2/s3/aws4_request; access keys hold no slash.
Checked<void> ReadCredential(std::string_view credential, SignatureClaim& claim) {
  const auto parts = SplitAt(credential, '/');
  if (parts.size() != 5 || parts[4] != "aws4_request")
    return Failed(AuthProblem::kMalformed,
                  fmt::format("Credential '{}': wanted ACCESS-KEY/YYYYMMDD/REGION/SERVICE/aws4_request.",
                              credential.substr(0, 128)));
  for (size_t i = 0; i < 4; ++i)
    if (parts[i].empty() || parts[i].size() > 128)
      return Failed(AuthProblem::kMalformed, "Credential: a part is empty or longer than 128 characters.");
  claim.access_key_id = parts[0];
  claim.day = parts[1];
  claim.region = parts[2];
  claim.service = parts[3];
  return {};
}

Checked<void> ReadSignedHeaders(std::string_view text, SignatureClaim& claim) {
  for (const std::string_view name : SplitAt(text, ';')) claim.signed_headers.emplace_back(name);
  if (claim.signed_headers.size() > kMaxSignedHeaders)
    return Failed(AuthProblem::kMalformed, fmt::format("SignedHeaders: more than {} names.", kMaxSignedHeaders));
  if (std::find(claim.signed_headers.begin(), claim.signed_headers.end(), "host") == claim.signed_headers.end())
    return Failed(AuthProblem::kMalformed, "SignedHeaders: 'host' must be signed.");
  return {};
}

Checked<void> ReadDate(std::string date, SignatureClaim& claim) {
  const auto time = date.size() == 16 ? ParseIso8601(date) : std::nullopt;
  if (!time)
    return Failed(AuthProblem::kMalformed,
                  fmt::format("X-Amz-Date '{}': wanted the form YYYYMMDDTHHMMSSZ.", date.substr(0, 64)));
  if (date.compare(0, 8, claim.day) != 0)
    return Failed(AuthProblem::kMalformed, fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 "
                                                       "version of date from HTTP: '{}' != '{}'.",
                                                       claim.day, date.substr(0, 8)));
  claim.date = std::move(date);
  claim.time = *time;
  return {};
}

// X-Amz-Date, or Date in either of its spellings.
std::string DateOf(const http::Headers& headers) {
  if (headers.Has("x-amz-date")) return headers.Get("x-amz-date");
  const std::string date = headers.Get("date");
  const auto time = ParseHttpDate(date);
  return time ? BasicIso8601(*time) : date;
}

Checked<SignatureClaim> ParseHeader(const http::Request& request, std::string_view authorization) {
  SignatureClaim claim;
  std::string_view credential, signed_headers;
  for (std::string_view part : SplitAt(authorization.substr(kSigV4Algorithm.size()), ',')) {
    part = Trim(part);
    const size_t equals = std::min(part.find('='), part.size());
    const std::string_view name = part.substr(0, equals), value = part.substr(std::min(equals + 1, part.size()));
    if (name == "Credential") credential = value;
    if (name == "SignedHeaders") signed_headers = value;
    if (name == "Signature") claim.signature = value;
  }
  for (const auto& [name, value] : {std::pair<std::string_view, std::string_view>{"Credential", credential},
                                    {"SignedHeaders", signed_headers},
                                    {"Signature", claim.signature}})
    if (value.empty())
      return Failed(AuthProblem::kMalformed, fmt::format("Authorization header requires '{}' parameter.", name));
  if (auto read = ReadCredential(credential, claim); !read) return tl::unexpected(read.error());
  if (auto read = ReadSignedHeaders(signed_headers, claim); !read) return tl::unexpected(read.error());
  if (auto read = ReadDate(DateOf(request.headers), claim); !read) return tl::unexpected(read.error());
  claim.session_token = request.headers.Get("x-amz-security-token");
  return claim;
}

Checked<SignatureClaim> ParsePresigned(const Parameters& query) {
  SignatureClaim claim;
  claim.kind = SignatureClaim::Kind::kPresigned;
  if (const std::string algorithm = ValueOf(query, "X-Amz-Algorithm"); algorithm != kSigV4Algorithm)
    return Failed(AuthProblem::kUnsupported,
                  fmt::format("X-Amz-Algorithm '{}': only {} is supported.", algorithm.substr(0, 64), kSigV4Algorithm));
  for (const std::string_view name :
       {"X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"})
    if (ValueOf(query, name).empty())
      return Failed(AuthProblem::kMalformed, fmt::format("Query-string authentication version 4 requires the "
                                                         "X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
                                                         "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires "
                                                         "parameters; {} is missing.",
                                                         name));
  const std::string expires = ValueOf(query, "X-Amz-Expires");
  const auto [end, error] = std::from_chars(expires.data(), expires.data() + expires.size(), claim.expires_in);
  if (error != std::errc() || end != expires.data() + expires.size() || claim.expires_in < 1 ||
      claim.expires_in > kMaxPresignedSeconds)
    return Failed(AuthProblem::kMalformed, fmt::format("X-Amz-Expires '{}': wanted 1 to {} seconds.",
                                                       expires.substr(0, 32), kMaxPresignedSeconds));
  if (auto read = ReadCredential(ValueOf(query, "X-Amz-Credential"), claim); !read) return tl::unexpected(read.error());
  if (auto read = ReadSignedHeaders(ValueOf(query, "X-Amz-SignedHeaders"), claim); !read)
    return tl::unexpected(read.error());
  if (auto read = ReadDate(ValueOf(query, "X-Amz-Date"), claim); !read) return tl::unexpected(read.error());
  claim.session_token = ValueOf(query, "X-Amz-Security-Token");
  claim.signature = ValueOf(query, "X-Amz-Signature");
  return claim;
}

Checked<SignatureClaim> ParsePresignedV2(const Parameters& query) {
  SignatureClaim claim;
  claim.kind = SignatureClaim::Kind::kPresignedV2;
  claim.service = "s3";
  claim.access_key_id = ValueOf(query, "AWSAccessKeyId");
  claim.signature = ValueOf(query, "Signature");
  claim.session_token = ValueOf(query, "x-amz-security-token");
  const std::string expires = ValueOf(query, "Expires");
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(expires.data(), expires.data() + expires.size(), seconds);
  if (claim.signature.empty() || expires.empty() || error != std::errc() || end != expires.data() + expires.size() ||
      seconds < 0 || seconds > 253402300799)
    return Failed(AuthProblem::kMissing,
                  "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters.");
  claim.time = seconds * 1000;
  return claim;
}

Checked<void> CheckTime(const SignatureClaim& claim, UnixMillis now) {
  if (claim.kind == SignatureClaim::Kind::kPresignedV2) {
    if (now <= claim.time) return {};
    return Failed(AuthProblem::kExpired, "Request has expired",
                  {{"Expires", Iso8601(claim.time)}, {"ServerTime", Iso8601(now / 1000 * 1000)}});
  }
  const bool early = claim.time > now + kMaxSkewMillis;
  if (claim.kind == SignatureClaim::Kind::kPresigned && !early) {
    const UnixMillis end = claim.time + claim.expires_in * 1000;
    if (now <= end) return {};
    return Failed(AuthProblem::kExpired, "Request has expired",
                  {{"X-Amz-Expires", std::to_string(claim.expires_in)},
                   {"Expires", Iso8601(end)},
                   {"ServerTime", Iso8601(now / 1000 * 1000)}});
  }
  if (!early && claim.time >= now - kMaxSkewMillis) return {};
  const std::string text = early ? fmt::format("Signature not yet current: {} is still later than {} ({} + 15 min.)",
                                               claim.date, BasicIso8601(now + kMaxSkewMillis), BasicIso8601(now))
                                 : fmt::format("Signature expired: {} is now earlier than {} ({} - 15 min.)",
                                               claim.date, BasicIso8601(now - kMaxSkewMillis), BasicIso8601(now));
  return Failed(AuthProblem::kSkewed, text,
                {{"RequestTime", claim.date},
                 {"ServerTime", Iso8601(now / 1000 * 1000)},
                 {"MaxAllowedSkewMilliseconds", std::to_string(kMaxSkewMillis)}});
}

// A header that means something to a service must not have been added on the way.
Checked<void> CheckAllSigned(const SignatureClaim& claim, const http::Request& request) {
  if (claim.kind == SignatureClaim::Kind::kPresignedV2) return {};  // signs all of them by its own rule
  for (const auto& field : request.headers.fields()) {
    std::string name = field.name;
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    if (!name.starts_with("x-amz-")) continue;
    if (claim.presigned() && name == "x-amz-content-sha256") continue;  // says nothing but what the body must be
    if (std::find(claim.signed_headers.begin(), claim.signed_headers.end(), name) == claim.signed_headers.end())
      return Failed(AuthProblem::kHeaderNotSigned, "There were headers present in the request which were not signed",
                    {{"HeadersNotSigned", name}});
  }
  return {};
}

}  // namespace

std::string SignatureClaim::Scope() const { return fmt::format("{}/{}/{}/aws4_request", day, region, service); }

std::string ClaimedService(const http::Request& request) {
  std::string credential;
  if (const std::string* authorization = request.headers.Find("authorization")) {
    const size_t start = authorization->find("Credential=");
    if (start != std::string::npos) credential = authorization->substr(start + 11, 512);
    credential.resize(std::min(credential.find(','), credential.size()));
  } else if (request.query.find("X-Amz-Credential=") != std::string::npos && request.query.size() <= kMaxQueryBytes) {
    credential = ValueOf(http::QueryParameters(request.query), "X-Amz-Credential");
  }
  const auto parts = SplitAt(credential, '/');
  return parts.size() == 5 ? std::string(parts[3]) : std::string();
}

Checked<SignatureClaim> ParseClaim(const http::Request& request) {
  if (const std::string* authorization = request.headers.Find("authorization")) {
    if (authorization->starts_with(fmt::format("{} ", kSigV4Algorithm))) return ParseHeader(request, *authorization);
    return Failed(AuthProblem::kUnsupported,
                  "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.");
  }
  if (request.query.size() > kMaxQueryBytes)
    return Failed(AuthProblem::kMalformed, fmt::format("The query is longer than {} bytes.", kMaxQueryBytes));
  const auto query = http::QueryParameters(request.query);
  if (Find(query, "X-Amz-Algorithm") != nullptr || Find(query, "X-Amz-Signature") != nullptr)
    return ParsePresigned(query);
  if (Find(query, "AWSAccessKeyId") != nullptr) return ParsePresignedV2(query);
  return Failed(AuthProblem::kMissing, "Missing Authentication Token");
}

Checked<SigningKey> CheckClaim(const SignatureClaim& claim, const http::Request& request, const KeyLookup& keys,
                               UnixMillis now) {
  auto key = keys.Find(claim.access_key_id);
  if (!key)
    return Failed(AuthProblem::kUnknownKey, "The security token included in the request is invalid.",
                  {{"AWSAccessKeyId", claim.access_key_id}});
  if (!SameSecret(key->session_token, claim.session_token))
    return Failed(AuthProblem::kBadToken, "The security token included in the request is invalid.");
  if (key->expires != 0 && now >= key->expires)
    return Failed(AuthProblem::kExpiredToken, "The security token included in the request is expired");
  if (auto in_time = CheckTime(claim, now); !in_time) return tl::unexpected(in_time.error());
  if (auto all_signed = CheckAllSigned(claim, request); !all_signed) return tl::unexpected(all_signed.error());
  return std::move(*key);
}

Checked<void> CheckSignature(const SignatureClaim& claim, const http::Request& request, const SigningKey& key,
                             std::string_view payload_hash) {
  if (claim.kind == SignatureClaim::Kind::kPresignedV2) {
    if (MatchesSignatureV2(request, key.secret_access_key, claim.signature)) return {};
    return Failed(AuthProblem::kMismatch, std::string(kMismatchText), {{"AWSAccessKeyId", claim.access_key_id}});
  }
  const std::string canonical =
      CanonicalRequest(request.method, CanonicalPath(request.path, claim.service == "s3"),
                       CanonicalQuery(request.query, claim.presigned() ? "X-Amz-Signature" : ""), request.headers,
                       claim.signed_headers, payload_hash);
  const std::string to_sign = StringToSign(claim.date, claim.Scope(), canonical);
  const std::string signing_key = DeriveSigningKey(key.secret_access_key, claim.day, claim.region, claim.service);
  if (SameSecret(Hex(HmacSha256(signing_key, to_sign)), claim.signature)) return {};
  return Failed(AuthProblem::kMismatch, std::string(kMismatchText),
                {{"AWSAccessKeyId", claim.access_key_id},
                 {"StringToSign", to_sign},
                 {"SignatureProvided", claim.signature.substr(0, 128)},
                 {"CanonicalRequest", canonical}});
}

}  // namespace headrace::aws
