#include "aws/digest.h"

#include <array>
#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace headrace::aws {
namespace {

// Fetched once: looking an algorithm up by name costs more than hashing a small request.
const EVP_MD* Algorithm(Hash::Kind kind) {
  static const EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  static const EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  switch (kind) {
    case Hash::Kind::kMd5:
      return md5;
    case Hash::Kind::kSha1:
      return sha1;
    case Hash::Kind::kSha256:
      return sha256;
  }
  return nullptr;
}

std::string HashOnce(Hash::Kind kind, std::string_view bytes) {
  Hash hash(kind);
  hash.Update(bytes);
  return hash.Finish();
}

std::string Hmac(Hash::Kind kind, std::string_view key, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> value;
  unsigned size = 0;
  if (HMAC(Algorithm(kind), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), value.data(), &size) == nullptr)
    throw std::runtime_error("HMAC failed");
  return {reinterpret_cast<const char*>(value.data()), size};
}

}  // namespace

Hash::Hash(Kind kind) : kind_(kind), context_(EVP_MD_CTX_new()) { Start(); }
Hash::Hash(Hash&&) noexcept = default;
Hash::~Hash() = default;

void Hash::Free::operator()(void* context) const { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context)); }

void Hash::Start() {
  if (EVP_DigestInit_ex2(static_cast<EVP_MD_CTX*>(context_.get()), Algorithm(kind_), nullptr) != 1)
    throw std::runtime_error("the system's OpenSSL refuses a hash that S3 needs");
}

void Hash::Update(std::string_view bytes) {
  EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_.get()), bytes.data(), bytes.size());
}

std::string Hash::Finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> value;
  unsigned size = 0;
  EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_.get()), value.data(), &size);
  Start();
  return {reinterpret_cast<const char*>(value.data()), size};
}

std::string Sha256(std::string_view bytes) { return HashOnce(Hash::Kind::kSha256, bytes); }
std::string Md5(std::string_view bytes) { return HashOnce(Hash::Kind::kMd5, bytes); }
std::string HmacSha256(std::string_view key, std::string_view bytes) { return Hmac(Hash::Kind::kSha256, key, bytes); }
std::string HmacSha1(std::string_view key, std::string_view bytes) { return Hmac(Hash::Kind::kSha1, key, bytes); }

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string Base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const size_t end = std::min(text.find('='), text.size());
  const size_t padding = text.size() - end;
  if (padding > 2 || text.substr(end).find_first_not_of('=') != std::string_view::npos) return std::nullopt;
  for (const char c : text.substr(0, end))
    if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/'))
      return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  bytes.resize(bytes.size() - padding);
  return bytes;
}

bool SameSecret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string RandomBytes(size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1)
    throw std::runtime_error("no random numbers from the system");
  return bytes;
}

}  // namespace headrace::aws
