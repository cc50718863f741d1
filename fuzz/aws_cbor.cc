// CBOR bodies; what is accepted must survive being written and read again.
#include <string_view>

#include "aws/cbor_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const auto value = headrace::aws::DecodeCbor({reinterpret_cast<const char*>(bytes), size});
  if (value && !headrace::aws::DecodeCbor(headrace::aws::EncodeCbor(*value, {"t"}))) __builtin_trap();
  return 0;
}
