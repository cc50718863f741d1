// .npy and raw bodies: any bytes become an array or an error; an array is written and read back.
#include "serving/codec/npy.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace;
  using namespace headrace::serving;
  const std::string_view file(reinterpret_cast<const char*>(bytes), size);
  const Signature signature{"s", "", {{"x", DType::kFloat32, {-1, 2}}}, {}};
  (void)NpyInputs(Buffer(file), signature);
  (void)RawInputs(Buffer(file), signature);
  const auto tensor = ParseNpy(file);
  if (!tensor) return 0;
  const auto again = ParseNpy(WriteNpy(*tensor));
  if (!again || again->shape() != tensor->shape() || again->dtype() != tensor->dtype()) __builtin_trap();
  if (tensor->bytes() > 0 && std::memcmp(again->raw(), tensor->raw(), tensor->bytes()) != 0) __builtin_trap();
  return 0;
}
