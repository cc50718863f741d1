// Hashes, message authentication and the text forms of their values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace headrace::aws {

// A hash computed piece by piece.
class Hash {
 public:
  enum class Kind { kMd5, kSha1, kSha256 };
  explicit Hash(Kind kind);
  Hash(Hash&&) noexcept;
  ~Hash();
  void Update(std::string_view bytes);
  std::string Finish();  // the value's bytes; the hash is fresh afterwards

 private:
  void Start();

  Kind kind_;
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;
};

std::string Sha256(std::string_view bytes);
std::string Md5(std::string_view bytes);
std::string HmacSha256(std::string_view key, std::string_view bytes);
std::string HmacSha1(std::string_view key, std::string_view bytes);

std::string Hex(std::string_view bytes);  // lower case
std::string Base64(std::string_view bytes);
std::optional<std::string> DecodeBase64(std::string_view text);  // with padding; nothing but the alphabet

// Takes as long for a match as for any mismatch of the same length.
bool SameSecret(std::string_view a, std::string_view b);

// Bytes from the system's generator of random numbers.
std::string RandomBytes(size_t count);

}  // namespace headrace::aws
