#include "jobs/runtime/content_hash.h"

#include <cerrno>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

namespace headrace::jobs {
namespace {

EVP_MD_CTX* ContextOf(void* context) { return static_cast<EVP_MD_CTX*>(context); }

}  // namespace

void ContentHash::Free::operator()(void* context) const { EVP_MD_CTX_free(ContextOf(context)); }

ContentHash::ContentHash() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(ContextOf(context_.get()), EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
}

void ContentHash::AddField(std::string_view text) {
  const auto length = fmt::format("{}:", text.size());
  AddBytes(length);
  AddBytes(text);
}

void ContentHash::AddBytes(std::string_view bytes) {
  EVP_DigestUpdate(ContextOf(context_.get()), bytes.data(), bytes.size());
}

Status ContentHash::AddFile(int file) {
  char buffer[1 << 16];
  uint64_t total = 0;
  while (true) {
    const ssize_t n = ::read(file, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail(ErrorCode::kFailedPrecondition, "cannot read: {}", std::strerror(errno));
    if (n == 0) break;
    AddBytes({buffer, static_cast<size_t>(n)});
    total += static_cast<uint64_t>(n);
  }
  AddField(fmt::format("{} bytes", total));
  return {};
}

Status ContentHash::AddTree(const HeldDirectory& directory) {
  return directory.Walk([this](const FoundEntry& found) -> Status {
    if (S_ISDIR(found.status.st_mode)) return {};
    AddField(found.path);
    const std::string name(found.name);
    if (S_ISLNK(found.status.st_mode)) {
      char target[4096];
      const ssize_t n = ::readlinkat(found.directory, name.c_str(), target, sizeof target);
      AddField({target, static_cast<size_t>(n < 0 ? 0 : n)});
    } else if (S_ISREG(found.status.st_mode)) {
      const Descriptor file(::openat(found.directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
      if (!file) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot open: {}", found.path, std::strerror(errno));
      HEADRACE_TRY(AddFile(file.get()));
    }
    return {};
  });
}

std::string ContentHash::Hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(ContextOf(context_.get()), digest, &size);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

}  // namespace headrace::jobs
