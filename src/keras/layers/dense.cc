// Dense: a matrix product with a bias and an activation.
#include "base/result.h"
#include "keras/layers/checks.h"
#include "keras/layers/config.h"

namespace headrace::keras {
namespace internal {
namespace {

constexpr const char* kWanted = "(batch, features); put a Flatten or GlobalAveragePooling2D before it";

class DenseState final : public LayerState {
 public:
  DenseState(int64_t units, DenseOptions options) : units_(units), options_(std::move(options)) {
    name = options_.name;
    input_shape = options_.input_shape;
    CheckPositive(Label(), "units", units_);
    activation_ = ActivationByName(Label(), options_.activation);
    CheckInitializer(Label(), options_.kernel_initializer);
    CheckInitializer(Label(), options_.bias_initializer);
  }

  std::string ClassName() const override { return "Dense"; }

  Shape OutputShape(const std::vector<Shape>& inputs) const override {
    OneInput(inputs, 2, kWanted);
    return {-1, units_};
  }

  std::vector<WeightSpec> Weights(const std::vector<Shape>& inputs) const override {
    std::vector<WeightSpec> specs = {
        {"kernel", {OneInput(inputs, 2, kWanted)[1], units_}, options_.kernel_initializer}};
    if (options_.use_bias) specs.push_back({"bias", {units_}, options_.bias_initializer});
    return specs;
  }

  int Lower(Graph& graph, const std::vector<int>& inputs) const override {
    const int dense = graph.Append({DenseOp{.use_bias = options_.use_bias}, name, inputs, {-1, units_}, weights});
    return AppendActivation(graph, dense, activation_);
  }

  nlohmann::json Config() const override {
    return {{"units", units_},
            {"activation", NameOfActivation(activation_)},
            {"use_bias", options_.use_bias},
            {"kernel_initializer", InitializerConfig(options_.kernel_initializer)},
            {"bias_initializer", InitializerConfig(options_.bias_initializer)},
            {"kernel_regularizer", nullptr},
            {"bias_regularizer", nullptr},
            {"activity_regularizer", nullptr},
            {"kernel_constraint", nullptr},
            {"bias_constraint", nullptr}};
  }

 private:
  int64_t units_;
  DenseOptions options_;
  tensor::Activation activation_;
};

}  // namespace

std::shared_ptr<LayerState> DenseFromConfig(const LayerConfig& config) {
  config.RequireNone({"kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint",
                      "bias_constraint", "quantization_config", "lora_rank"});
  return std::make_shared<DenseState>(
      config.Get<int64_t>("units", 0),
      DenseOptions{.activation = config.Activation(),
                   .use_bias = config.Get("use_bias", true),
                   .kernel_initializer = config.Initializer("kernel_initializer", "glorot_uniform"),
                   .bias_initializer = config.Initializer("bias_initializer", "zeros"),
                   .name = config.name()});
}

}  // namespace internal

Dense::Dense(int64_t units, DenseOptions options)
    : Layer(std::make_shared<internal::DenseState>(units, std::move(options))) {}

}  // namespace headrace::keras
