// BatchNormalization over the last axis.
#include "base/result.h"
#include "keras/layers/config.h"

namespace headrace::keras {
namespace internal {
namespace {

class BatchNormalizationState final : public LayerState {
 public:
  // axis: -1, or the last one counted from the front as Keras 2 writes it.
  explicit BatchNormalizationState(BatchNormalizationOptions options, int64_t axis = -1)
      : options_(std::move(options)), axis_(axis) {
    name = options_.name;
    input_shape = options_.input_shape;
    if (!(options_.momentum >= 0 && options_.momentum <= 1))
      throw MakeError(ErrorCode::kInvalidArgument, "{}: momentum: found {}, wanted 0 <= momentum <= 1", Label(),
                      options_.momentum);
    if (!(options_.epsilon > 0))
      throw MakeError(ErrorCode::kInvalidArgument, "{}: epsilon: found {}, wanted a positive number", Label(),
                      options_.epsilon);
  }

  std::string ClassName() const override { return "BatchNormalization"; }

  Shape OutputShape(const std::vector<Shape>& inputs) const override { return Input(inputs); }

  std::vector<WeightSpec> Weights(const std::vector<Shape>& inputs) const override {
    const Shape& input = Input(inputs);
    const int64_t channels = input[input.rank() - 1];
    return {{"gamma", {channels}, "ones"},
            {"beta", {channels}, "zeros"},
            {"moving_mean", {channels}, "zeros", false},
            {"moving_variance", {channels}, "ones", false}};
  }

  int Lower(Graph& graph, const std::vector<int>& inputs) const override {
    const BatchNormOp op{.momentum = options_.momentum,
                         .epsilon = options_.epsilon,
                         .trainable = trainable,
                         .synchronized = options_.synchronized};
    const Shape shape = graph.values[inputs[0]].shape;
    return graph.Append({op, name, inputs, shape, weights});
  }

  nlohmann::json Config() const override {
    nlohmann::json config = {{"axis", -1},
                             {"momentum", ShortestDouble(options_.momentum)},
                             {"epsilon", ShortestDouble(options_.epsilon)},
                             {"center", true},
                             {"scale", true},
                             {"beta_initializer", InitializerConfig("zeros")},
                             {"gamma_initializer", InitializerConfig("ones")},
                             {"moving_mean_initializer", InitializerConfig("zeros")},
                             {"moving_variance_initializer", InitializerConfig("ones")},
                             {"beta_regularizer", nullptr},
                             {"gamma_regularizer", nullptr},
                             {"beta_constraint", nullptr},
                             {"gamma_constraint", nullptr}};
    if (options_.synchronized) config["synchronized"] = true;  // Keras 2 does not know the word
    return config;
  }

 private:
  const Shape& Input(const std::vector<Shape>& inputs) const {
    constexpr const char* kWanted = "(batch, channels) or (batch, height, width, channels)";
    const Shape& input = OneInput(inputs, 0, kWanted);
    if (input.rank() != 2 && input.rank() != 4) OneInput(inputs, 4, kWanted);
    if (axis_ != -1 && axis_ != static_cast<int64_t>(input.rank()) - 1)
      throw MakeError(ErrorCode::kInvalidArgument, "{}: axis: found {} for an input of shape {}, wanted the last one",
                      Label(), axis_, input.ToString());
    return input;
  }

  BatchNormalizationOptions options_;
  int64_t axis_;
};

// Keras 2 writes a list of one.
int64_t Axis(const LayerConfig& config) {
  const nlohmann::json* axis = config.Find("axis");
  if (axis == nullptr) return -1;
  return axis->is_array() && axis->size() == 1 ? axis->at(0).get<int64_t>() : axis->get<int64_t>();
}

}  // namespace

std::shared_ptr<LayerState> BatchNormalizationFromConfig(const LayerConfig& config) {
  config.Require("center", true);
  config.Require("scale", true);
  config.Require("renorm", false);
  config.RequireNone({"beta_regularizer", "gamma_regularizer", "beta_constraint", "gamma_constraint"});
  return std::make_shared<BatchNormalizationState>(
      BatchNormalizationOptions{.momentum = config.Get("momentum", 0.99f),
                                .epsilon = config.Get("epsilon", 1e-3f),
                                .synchronized = config.Get("synchronized", false),
                                .name = config.name()},
      Axis(config));
}

}  // namespace internal

BatchNormalization::BatchNormalization(BatchNormalizationOptions options)
    : Layer(std::make_shared<internal::BatchNormalizationState>(std::move(options))) {}

}  // namespace headrace::keras
