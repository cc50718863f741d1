// Add: the element-wise sum of two or more inputs.
#include "base/result.h"
#include "keras/layers/config.h"

namespace headrace::keras {
namespace internal {
namespace {

class AddState final : public LayerState {
 public:
  explicit AddState(LayerOptions options) {
    name = std::move(options.name);
    input_shape = std::move(options.input_shape);
  }

  std::string ClassName() const override { return "Add"; }

  Shape OutputShape(const std::vector<Shape>& inputs) const override {
    if (inputs.size() < 2)
      throw MakeError(ErrorCode::kInvalidArgument, "{}: found {} input, wanted a list of two or more", Label(),
                      inputs.size());
    for (const Shape& input : inputs)
      if (input != inputs[0])
        throw MakeError(ErrorCode::kInvalidArgument, "{}: found inputs of shapes {} and {}, wanted equal shapes",
                        Label(), inputs[0].ToString(), input.ToString());
    return inputs[0];
  }

  // (((a + b) + c) + …), as Keras sums them.
  int Lower(Graph& graph, const std::vector<int>& inputs) const override {
    const Shape shape = graph.values[inputs[0]].shape;
    int sum = inputs[0];
    for (size_t i = 1; i < inputs.size(); ++i) sum = graph.Append({AddOp{}, name, {sum, inputs[i]}, shape, {}});
    return sum;
  }

  nlohmann::json Config() const override { return nlohmann::json::object(); }
};

}  // namespace

std::shared_ptr<LayerState> AddFromConfig(const LayerConfig& config) {
  return std::make_shared<AddState>(LayerOptions{.name = config.name()});
}

}  // namespace internal

Add::Add(LayerOptions options) : Layer(std::make_shared<internal::AddState>(std::move(options))) {}

}  // namespace headrace::keras
