// One element as save() writes it: any bytes are an element, which is written and read again alike, or an error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "data/elements_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const auto element = headrace::data::ParseElement({reinterpret_cast<const char*>(bytes), size}, "fuzz");
  if (!element) return 0;
  std::string written, again;
  headrace::data::AppendElement(*element, written);
  const auto read = headrace::data::ParseElement(written, "fuzz");
  if (!read) __builtin_trap();
  headrace::data::AppendElement(*read, again);
  if (written != again) __builtin_trap();
  return 0;
}
