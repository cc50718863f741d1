// saved_model.pb: any bytes become graphs or an error. Weights must be constants, as there is no bundle.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "keras/inference/optimize.h"
#include "savedmodel/import/load.h"

namespace {

size_t InputsOf(const headrace::keras::Graph& graph) {
  size_t inputs = 0;
  for (const auto& value : graph.values) inputs += std::holds_alternative<headrace::keras::InputOp>(value.op) ? 1 : 0;
  return inputs;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace;
  using namespace headrace::savedmodel;
  const auto model = ParseSavedModel({reinterpret_cast<const char*>(bytes), size}, "fuzz.pb");
  if (!model) return 0;
  (void)LoadGraph(*model, std::nullopt, {});
  const auto graphs = LoadServingGraphs(*model, std::nullopt, {});
  if (!graphs) return 0;
  for (const LoadedGraph& loaded : graphs->signatures) {
    (void)keras::internal::Optimize(loaded.graph);
    const size_t inputs = loaded.strings.empty() ? loaded.signature.inputs.size() : loaded.strings.tensors.size();
    if (InputsOf(loaded.graph) != inputs || loaded.outputs.size() != loaded.signature.outputs.size()) __builtin_trap();
    for (const GraphOutput& output : loaded.outputs)
      if (output.value && *output.value >= loaded.graph.Outputs().size()) __builtin_trap();
  }
  return 0;
}
