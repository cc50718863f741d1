#include "store/random.h"

#include <array>
#include <cerrno>
#include <cstdlib>

#include <sys/random.h>

namespace headrace::store {
namespace {

// Cannot fail once the kernel's source is seeded, which it is long before we run.
void Fill(std::string& bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::getrandom(bytes.data() + done, bytes.size() - done, 0);
    if (n < 0 && errno != EINTR) std::abort();
    if (n > 0) done += static_cast<size_t>(n);
  }
}

}  // namespace

std::string RandomText(std::string_view alphabet, size_t length) {
  std::string text(length, '\0');
  Fill(text);
  for (char& c : text) c = alphabet[static_cast<unsigned char>(c) & (alphabet.size() - 1)];
  return text;
}

std::string RandomDigits(size_t length) {
  std::string digits;
  while (digits.size() < length) {
    for (const char c : RandomText("0123456789abcdef", length))
      if (c <= '9' && digits.size() < length) digits += c;
  }
  return digits;
}

}  // namespace headrace::store
