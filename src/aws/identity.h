// Who calls: the principal behind a verified signature.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace headrace::aws {

// Every principal (`headrace keys create NAME`) has an account of its own, so buckets, jobs, logs and metrics are
// apart.
struct Identity {
  std::string account_id;     // 12 digits
  std::string user;           // "default", "alice"
  std::string access_key_id;  // not secret
  std::string arn;            // arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION
};

// A key as a signature check needs it.
struct SigningKey {
  std::string secret_access_key;
  std::string session_token;  // must be presented when not empty
  UnixMillis expires = 0;     // 0: never
  Identity identity;
};

// Finds keys; the platform fills it from store/meta. Thread-safe.
class KeyLookup {
 public:
  virtual ~KeyLookup() = default;
  virtual std::optional<SigningKey> Find(std::string_view access_key_id) const = 0;
};

// What an operation knows of its call besides the input.
struct Call {
  Identity caller;
  std::string request_id;
  std::string region;    // of the signature's scope
  std::string endpoint;  // "http://127.0.0.1:4567", as the client reached us
  UnixMillis now = 0;
  const struct PostForm* form = nullptr;  // of S3's uploads from a form (post_form.h)
  std::string form_policy{};              // what its maker signed: JSON
};

}  // namespace headrace::aws
