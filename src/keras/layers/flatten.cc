// Flatten.
#include "base/result.h"
#include "keras/layers/config.h"

namespace headrace::keras {
namespace internal {
namespace {

class FlattenState final : public LayerState {
 public:
  explicit FlattenState(LayerOptions options) {
    name = std::move(options.name);
    input_shape = std::move(options.input_shape);
  }

  std::string ClassName() const override { return "Flatten"; }
  Shape OutputShape(const std::vector<Shape>& inputs) const override {
    const Shape& input = OneInput(inputs, 0, "(batch, …)");
    int64_t features = 1;
    for (size_t axis = 1; axis < input.rank(); ++axis) features *= input[axis];
    return {input[0], features};
  }
  int Lower(Graph& graph, const std::vector<int>& inputs) const override {
    const Shape shape = OutputShape({graph.values[inputs[0]].shape});
    return graph.Append({FlattenOp{}, name, inputs, shape, {}});
  }
  nlohmann::json Config() const override { return {{"data_format", "channels_last"}}; }
};

}  // namespace

std::shared_ptr<LayerState> FlattenFromConfig(const LayerConfig& config) {
  config.Require("data_format", "channels_last");
  return std::make_shared<FlattenState>(LayerOptions{.name = config.name()});
}

}  // namespace internal

Flatten::Flatten(LayerOptions options) : Layer(std::make_shared<internal::FlattenState>(std::move(options))) {}

}  // namespace headrace::keras
