// JSON bodies; what is accepted must survive being written and read again.
#include <string_view>

#include "aws/json_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const auto value = headrace::aws::DecodeJson({reinterpret_cast<const char*>(bytes), size});
  if (value && !headrace::aws::DecodeJson(headrace::aws::EncodeJson(*value))) __builtin_trap();
  return 0;
}
