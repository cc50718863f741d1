// Dropout.
#include "base/result.h"
#include "keras/layers/config.h"

namespace headrace::keras {
namespace internal {
namespace {

class DropoutState final : public LayerState {
 public:
  DropoutState(float rate, LayerOptions options) : rate_(rate) {
    name = std::move(options.name);
    input_shape = std::move(options.input_shape);
    if (!(rate >= 0 && rate < 1))
      throw MakeError(ErrorCode::kInvalidArgument, "{}: rate: found {}, wanted 0 <= rate < 1", Label(), rate);
  }

  std::string ClassName() const override { return "Dropout"; }
  Shape OutputShape(const std::vector<Shape>& inputs) const override { return OneInput(inputs, 0, "(batch, …)"); }
  int Lower(Graph& graph, const std::vector<int>& inputs) const override {
    const Shape shape = graph.values[inputs[0]].shape;
    return graph.Append({DropoutOp{.rate = rate_}, name, inputs, shape, {}});
  }
  nlohmann::json Config() const override {
    return {{"rate", ShortestDouble(rate_)}, {"seed", nullptr}, {"noise_shape", nullptr}};
  }

 private:
  float rate_;
};

}  // namespace

std::shared_ptr<LayerState> DropoutFromConfig(const LayerConfig& config) {
  config.RequireNone({"noise_shape"});
  return std::make_shared<DropoutState>(config.Get("rate", 0.0f), LayerOptions{.name = config.name()});
}

}  // namespace internal

Dropout::Dropout(float rate, LayerOptions options)
    : Layer(std::make_shared<internal::DropoutState>(rate, std::move(options))) {}

}  // namespace headrace::keras
