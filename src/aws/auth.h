// Who signed a request, and whether it is true: Signature Version 4 in the Authorization header or the query, and
// presigned URLs of version 2, which boto3 still makes for S3.
//
//   ParseClaim: what the request says    CheckClaim: key, token, time    CheckSignature: the signature itself
//
// They are apart because the body's hash, which the signature covers, is known only once the body is read, and nobody
// reads bodies of unknown keys.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "aws/canonical.h"
#include "aws/error.h"
#include "aws/identity.h"
#include "http/message.h"

namespace headrace::aws {

enum class AuthProblem {
  kMissing,          // anonymous
  kMalformed,        // parts are missing or cannot be read
  kUnsupported,      // another mechanism
  kUnknownKey,       // no such access key
  kBadToken,         // the session token is not this key's
  kExpiredToken,     // the temporary credentials have expired
  kSkewed,           // signed more than 15 minutes from now
  kExpired,          // the presigned URL is too old
  kHeaderNotSigned,  // an x-amz-* header that the signature does not cover
  kWrongService,     // the scope names another service
  kMismatch,         // the signature is another
};

struct AuthFailure {
  AuthProblem problem = AuthProblem::kMissing;
  std::string message;
  std::vector<std::pair<std::string, std::string>> details;  // for S3's error body
};

template <typename T>
using Checked = tl::expected<T, AuthFailure>;

struct SignatureClaim {
  enum class Kind { kHeader, kPresigned, kPresignedV2 };
  Kind kind = Kind::kHeader;
  std::string access_key_id, session_token, signature;
  std::string date;                  // 20260102T030405Z
  std::string day, region, service;  // the scope; empty for version 2
  SignedHeaders signed_headers;
  UnixMillis time = 0;     // of signing; for version 2 the end of validity
  int64_t expires_in = 0;  // seconds, presigned version 4

  std::string Scope() const;
  bool presigned() const { return kind != Kind::kHeader; }
};

// The service that the scope of a request names, without checking anything: for routing. "" without a scope.
std::string ClaimedService(const http::Request& request);

Checked<SignatureClaim> ParseClaim(const http::Request& request);
Checked<SigningKey> CheckClaim(const SignatureClaim& claim, const http::Request& request, const KeyLookup& keys,
                               UnixMillis now);
// `payload_hash` is ignored for version 2, which does not sign bodies.
Checked<void> CheckSignature(const SignatureClaim& claim, const http::Request& request, const SigningKey& key,
                             std::string_view payload_hash);

// How each kind of service says it.
ServiceError S3AuthError(const AuthFailure& failure);
ServiceError QueryAuthError(const AuthFailure& failure);
ServiceError JsonAuthError(const AuthFailure& failure);

}  // namespace headrace::aws
