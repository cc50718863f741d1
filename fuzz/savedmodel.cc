// saved_model.pb: any bytes become graphs or an error. Weights must be constants, as there is no bundle.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "keras/inference/optimize.h"
#include "savedmodel/import/load.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace;
  using namespace headrace::savedmodel;
  const auto model = ParseSavedModel({reinterpret_cast<const char*>(bytes), size}, "fuzz.pb");
  if (!model) return 0;
  (void)LoadGraph(*model, std::nullopt, {});
  const auto graphs = LoadServingGraphs(*model, std::nullopt, {});
  if (!graphs) return 0;
  for (const LoadedGraph& loaded : graphs->signatures) (void)keras::internal::Optimize(loaded.graph);
  return 0;
}
