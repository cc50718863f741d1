// GlobalAveragePooling2D.
#include "keras/layers/config.h"

namespace headrace::keras {
namespace internal {
namespace {

class GlobalAveragePooling2DState final : public LayerState {
 public:
  explicit GlobalAveragePooling2DState(LayerOptions options) {
    name = std::move(options.name);
    input_shape = std::move(options.input_shape);
  }

  std::string ClassName() const override { return "GlobalAveragePooling2D"; }
  Shape OutputShape(const std::vector<Shape>& inputs) const override {
    const Shape& input = OneInput(inputs, 4, "(batch, height, width, channels)");
    return {input[0], input[3]};
  }
  int Lower(Graph& graph, const std::vector<int>& inputs) const override {
    const Shape shape = OutputShape({graph.values[inputs[0]].shape});
    return graph.Append({GlobalAveragePoolOp{}, name, inputs, shape, {}});
  }
  nlohmann::json Config() const override { return {{"data_format", "channels_last"}, {"keepdims", false}}; }
};

}  // namespace

std::shared_ptr<LayerState> GlobalAveragePooling2DFromConfig(const LayerConfig& config) {
  config.Require("data_format", "channels_last");
  config.Require("keepdims", false);
  return std::make_shared<GlobalAveragePooling2DState>(LayerOptions{.name = config.name()});
}

}  // namespace internal

GlobalAveragePooling2D::GlobalAveragePooling2D(LayerOptions options)
    : Layer(std::make_shared<internal::GlobalAveragePooling2DState>(std::move(options))) {}

}  // namespace headrace::keras
