// Text for header fields: whatever goes in comes out as bytes that a field may hold, in words of at most 75 characters.
#include <string_view>

#include "aws/header_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace::aws;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const std::string encoded = EncodeHeaderText(text);
  if (!IsHeaderText(encoded)) __builtin_trap();
  if (IsHeaderText(text)) {
    if (encoded != text) __builtin_trap();
    return 0;
  }
  for (std::string_view rest = encoded; !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    if (word.size() > 75 || !word.starts_with("=?UTF-8?B?") || !word.ends_with("?=")) __builtin_trap();
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  }
  return 0;
}
