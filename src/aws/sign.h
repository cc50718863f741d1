// Signing requests with Signature Version 4: for tests and for our own clients. Verification is auth.h.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/message.h"

namespace headrace::aws {

struct Credentials {
  std::string access_key_id, secret_access_key, session_token;
};

struct SigningScope {
  std::string region, service;
};

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

// Adds X-Amz-Date, X-Amz-Security-Token (with a session token), X-Amz-Content-SHA256 (for S3) and Authorization to
// `request`, whose method, path, query and headers (Host among them) are final. `payload_hash`: the body's SHA-256 in
// hex, or kUnsignedPayload. Signs all headers but those that proxies change.
void Sign(http::Request& request, const Credentials& credentials, const SigningScope& scope, UnixMillis now,
          std::string_view payload_hash);

// The query string (without '?') of a presigned URL for `method` on `path` at `host`; `query` holds the request's own
// parameters, encoded.
std::string Presign(std::string_view method, std::string_view host, std::string_view path, std::string_view query,
                    const Credentials& credentials, const SigningScope& scope, UnixMillis now, int64_t valid_seconds);

// SHA-256 in hex.
std::string PayloadHash(std::string_view body);

}  // namespace headrace::aws
