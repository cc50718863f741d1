#include "store/objects/md5.h"

#include <array>

#include <openssl/evp.h>

#include "store/random.h"

namespace headrace::store {

struct Md5::Context {
  Context() : handle(EVP_MD_CTX_new()) { EVP_DigestInit_ex(handle, EVP_md5(), nullptr); }
  Context(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(handle); }
  EVP_MD_CTX* handle;
};

Md5::Md5() : context_(std::make_unique<Context>()) {}
Md5::Md5(Md5&&) noexcept = default;
Md5& Md5::operator=(Md5&&) noexcept = default;
Md5::~Md5() = default;

void Md5::Update(std::string_view bytes) { EVP_DigestUpdate(context_->handle, bytes.data(), bytes.size()); }

std::string Md5::Finish() {
  std::array<unsigned char, 16> digest{};
  EVP_DigestFinal_ex(context_->handle, digest.data(), nullptr);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string ToHex(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += {kHexDigits[byte >> 4], kHexDigits[byte & 15]};
  }
  return text;
}

std::string FromHex(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    return kHexDigits.find(c);
  };
  std::string bytes;
  if (text.size() % 2 != 0) return bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    const size_t high = digit(text[i]), low = digit(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return {};
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

}  // namespace headrace::store
