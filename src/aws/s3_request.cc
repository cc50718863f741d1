#include "aws/s3_request.h"

#include <algorithm>

#include "aws/sign.h"
#include "aws/xml.h"

namespace headrace::aws {
namespace {

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

ServiceError Words(const AuthFailure& failure, const http::Request& request) {
  ServiceError error = S3AuthError(failure);
  if (failure.problem == AuthProblem::kMalformed && !request.headers.Has("authorization"))
    error.code = "AuthorizationQueryParametersError";
  return error;
}

// What stands in the place of the body's hash. Presigned URLs sign none, unless they sign the header that says one.
Reply<std::string> SignedPayloadHash(const SignatureClaim& claim, const http::Request& request) {
  constexpr std::string_view kName = "x-amz-content-sha256";
  const std::string* header = request.headers.Find(kName);
  if (!claim.presigned()) {
    if (header != nullptr) return *header;
    return Refuse("InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  }
  if (header != nullptr && std::ranges::find(claim.signed_headers, kName) != claim.signed_headers.end()) return *header;
  for (const auto& [name, value] : http::QueryParameters(request.query))
    if (Lower(name) == kName) return value;
  return std::string(kUnsignedPayload);
}

bool BelongsToSignature(std::string_view name) {
  constexpr std::string_view kNames[] = {"x-amz-algorithm",     "x-amz-credential", "x-amz-date",
                                         "x-amz-expires",       "x-amz-signature",  "x-amz-signedheaders",
                                         "x-amz-security-token"};
  return std::ranges::find(kNames, name) != std::end(kNames);
}

std::string WithoutAwsChunked(std::string_view encodings) {
  std::string kept;
  while (!encodings.empty()) {
    const size_t comma = std::min(encodings.find(','), encodings.size());
    std::string_view one = encodings.substr(0, comma);
    encodings.remove_prefix(std::min(comma + 1, encodings.size()));
    one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
    one = one.substr(0, one.find_last_not_of(' ') + 1);
    if (one.empty() || Lower(std::string(one)) == "aws-chunked") continue;
    if (!kept.empty()) kept += ',';
    kept += one;
  }
  return kept;
}

}  // namespace

Reply<S3Access> CheckS3Access(const http::Request& request, const KeyLookup& keys, UnixMillis now) {
  auto claim = ParseClaim(request);
  if (!claim) return tl::unexpected(Words(claim.error(), request));
  if (claim->service != "s3")
    return tl::unexpected(Words({AuthProblem::kWrongService,
                                 "The authorization header is malformed; incorrect service \"" + claim->service +
                                     "\". This endpoint belongs to \"s3\".",
                                 {}},
                                request));
  auto key = CheckClaim(*claim, request, keys, now);
  if (!key) return tl::unexpected(Words(key.error(), request));
  const auto payload_hash = SignedPayloadHash(*claim, request);
  if (!payload_hash) return tl::unexpected(payload_hash.error());
  if (auto signature = CheckSignature(*claim, request, *key, *payload_hash); !signature)
    return tl::unexpected(Words(signature.error(), request));
  S3Access access{std::move(*claim), std::move(*key), std::nullopt};
  if (!access.claim.presigned())
    access.chunks = ChunkSigning{
        DeriveSigningKey(access.key.secret_access_key, access.claim.day, access.claim.region, access.claim.service),
        access.claim.date, access.claim.Scope(), access.claim.signature};
  return access;
}

void PrepareS3Request(http::Request& request, const SignatureClaim& claim) {
  if (const std::string* encoding = request.headers.Find("content-encoding")) {
    std::string kept = WithoutAwsChunked(*encoding);
    if (kept.empty()) {
      request.headers.Remove("content-encoding");
    } else {
      request.headers.Set("Content-Encoding", std::move(kept));
    }
  }
  if (!claim.presigned()) return;
  for (auto& [name, value] : http::QueryParameters(request.query)) {
    std::string header = Lower(name);
    if (header.starts_with("x-amz-") && !BelongsToSignature(header) && !request.headers.Has(header))
      request.headers.Add(std::move(header), std::move(value));
  }
}

}  // namespace headrace::aws
