// saved_model.pb: any bytes become a graph or an error. Weights must be constants, as there is no bundle.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "savedmodel/import/load.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace::savedmodel;
  const auto model = ParseSavedModel({reinterpret_cast<const char*>(bytes), size}, "fuzz.pb");
  if (model) (void)LoadGraph(*model, std::nullopt, {});
  return 0;
}
