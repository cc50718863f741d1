// Dense: a matrix product with a bias and an activation.
#include "base/result.h"
#include "keras/layers/checks.h"
#include "keras/layers/config.h"

namespace headrace::keras {
namespace internal {
namespace {

constexpr const char* kWanted = "(batch, …, features)";

class DenseState final : public LayerState {
 public:
  DenseState(int64_t units, DenseOptions options) : units_(units), options_(std::move(options)) {
    name = options_.name;
    input_shape = options_.input_shape;
    activity_regularizer = options_.activity_regularizer;
    CheckPositive(Label(), "units", units_);
    activation_ = ActivationByName(Label(), options_.activation);
    CheckInitializer(Label(), options_.kernel_initializer);
    CheckInitializer(Label(), options_.bias_initializer);
  }

  std::string ClassName() const override { return "Dense"; }

  Shape OutputShape(const std::vector<Shape>& inputs) const override {
    Shape shape = OneInput(inputs, 0, kWanted);
    shape[shape.rank() - 1] = units_;
    return shape;
  }

  std::vector<WeightSpec> Weights(const std::vector<Shape>& inputs) const override {
    std::vector<WeightSpec> specs = {
        {"kernel", {OneInput(inputs, 0, kWanted).dims().back(), units_}, options_.kernel_initializer}};
    specs[0].regularizer = options_.kernel_regularizer;
    specs[0].constraint = options_.kernel_constraint;
    if (options_.use_bias)
      specs.push_back(
          {"bias", {units_}, options_.bias_initializer, true, options_.bias_regularizer, options_.bias_constraint});
    return specs;
  }

  int Lower(Graph& graph, const std::vector<int>& inputs) const override {
    const Shape shape = OutputShape({graph.values[inputs[0]].shape});
    const int dense = graph.Append({DenseOp{.use_bias = options_.use_bias}, name, inputs, shape, weights});
    return AppendActivation(graph, dense, activation_);
  }

  nlohmann::json Config() const override {
    return {{"units", units_},
            {"activation", NameOfActivation(activation_)},
            {"use_bias", options_.use_bias},
            {"kernel_initializer", InitializerConfig(options_.kernel_initializer)},
            {"bias_initializer", InitializerConfig(options_.bias_initializer)},
            {"kernel_regularizer", RegularizerConfig(options_.kernel_regularizer)},
            {"bias_regularizer", RegularizerConfig(options_.bias_regularizer)},
            {"activity_regularizer", RegularizerConfig(options_.activity_regularizer)},
            {"kernel_constraint", ConstraintConfig(options_.kernel_constraint)},
            {"bias_constraint", ConstraintConfig(options_.bias_constraint)}};
  }

 private:
  int64_t units_;
  DenseOptions options_;
  tensor::Activation activation_;
};

}  // namespace

std::shared_ptr<LayerState> DenseFromConfig(const LayerConfig& config) {
  config.RequireNone({"quantization_config", "lora_rank"});
  return std::make_shared<DenseState>(
      config.Get<int64_t>("units", 0),
      DenseOptions{.activation = config.Activation(),
                   .use_bias = config.Get("use_bias", true),
                   .kernel_initializer = config.Initializer("kernel_initializer", "glorot_uniform"),
                   .bias_initializer = config.Initializer("bias_initializer", "zeros"),
                   .kernel_regularizer = config.Regularizer("kernel_regularizer"),
                   .bias_regularizer = config.Regularizer("bias_regularizer"),
                   .activity_regularizer = config.Regularizer("activity_regularizer"),
                   .kernel_constraint = config.Constraint("kernel_constraint"),
                   .bias_constraint = config.Constraint("bias_constraint"),
                   .name = config.name()});
}

}  // namespace internal

Dense::Dense(int64_t units, DenseOptions options)
    : Layer(std::make_shared<internal::DenseState>(units, std::move(options))) {}

}  // namespace headrace::keras
