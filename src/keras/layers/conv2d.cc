// Conv2D: cross-correlation with a bias and an activation.
#include "base/result.h"
#include "keras/layers/checks.h"
#include "keras/layers/config.h"
#include "keras/layers/window.h"

namespace headrace::keras {
namespace internal {
namespace {

class Conv2DState final : public LayerState {
 public:
  Conv2DState(int64_t filters, Size2D kernel_size, Conv2DOptions options)
      : filters_(filters), kernel_size_(kernel_size), options_(std::move(options)) {
    name = options_.name;
    input_shape = options_.input_shape;
    activity_regularizer = options_.activity_regularizer;
    CheckPositive(Label(), "filters", filters_);
    CheckPositive(Label(), "kernel_size", kernel_size_);
    CheckPositive(Label(), "strides", options_.strides);
    CheckPositive(Label(), "dilation_rate", options_.dilation_rate);
    if (options_.strides != Size2D{1, 1} && options_.dilation_rate != Size2D{1, 1})
      throw MakeError(ErrorCode::kInvalidArgument,
                      "{}: found strides ({}, {}) with dilation_rate ({}, {}), wanted one of them to be (1, 1)",
                      Label(), options_.strides[0], options_.strides[1], options_.dilation_rate[0],
                      options_.dilation_rate[1]);
    padding_ = PaddingByName(Label(), options_.padding);
    activation_ = ActivationByName(Label(), options_.activation);
    CheckInitializer(Label(), options_.kernel_initializer);
    CheckInitializer(Label(), options_.bias_initializer);
  }

  std::string ClassName() const override { return "Conv2D"; }

  Shape OutputShape(const std::vector<Shape>& inputs) const override {
    const Shape& input = OneInput(inputs, 4, "(batch, height, width, channels)");
    return {input[0], Place(input, 0).out, Place(input, 1).out, filters_};
  }

  std::vector<WeightSpec> Weights(const std::vector<Shape>& inputs) const override {
    const int64_t channels = OneInput(inputs, 4, "(batch, height, width, channels)")[3];
    std::vector<WeightSpec> specs = {
        {"kernel", {kernel_size_[0], kernel_size_[1], channels, filters_}, options_.kernel_initializer}};
    specs[0].regularizer = options_.kernel_regularizer;
    specs[0].constraint = options_.kernel_constraint;
    if (options_.use_bias)
      specs.push_back(
          {"bias", {filters_}, options_.bias_initializer, true, options_.bias_regularizer, options_.bias_constraint});
    return specs;
  }

  int Lower(Graph& graph, const std::vector<int>& inputs) const override {
    const Shape input = graph.values[inputs[0]].shape;
    const Window rows = Place(input, 0), columns = Place(input, 1);
    const Conv2DOp op{.stride_h = options_.strides[0],
                      .stride_w = options_.strides[1],
                      .dilation_h = options_.dilation_rate[0],
                      .dilation_w = options_.dilation_rate[1],
                      .pad_top = rows.before,
                      .pad_bottom = rows.after,
                      .pad_left = columns.before,
                      .pad_right = columns.after,
                      .use_bias = options_.use_bias};
    const int conv = graph.Append({op, name, inputs, OutputShape({input}), weights});
    return AppendActivation(graph, conv, activation_);
  }

  nlohmann::json Config() const override {
    return {{"filters", filters_},
            {"kernel_size", kernel_size_},
            {"strides", options_.strides},
            {"padding", NameOf(padding_)},
            {"data_format", "channels_last"},
            {"dilation_rate", options_.dilation_rate},
            {"groups", 1},
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
  Window Place(const Shape& input, size_t axis) const {
    const int64_t extent = (kernel_size_[axis] - 1) * options_.dilation_rate[axis] + 1;
    return PlaceWindow(Label(), axis == 0 ? "height" : "width", input[axis + 1], extent, options_.strides[axis],
                       padding_);
  }

  int64_t filters_;
  Size2D kernel_size_;
  Conv2DOptions options_;
  Padding padding_;
  tensor::Activation activation_;
};

}  // namespace

std::shared_ptr<LayerState> Conv2DFromConfig(const LayerConfig& config) {
  config.Require("data_format", "channels_last");
  config.Require("groups", 1);
  return std::make_shared<Conv2DState>(
      config.Get<int64_t>("filters", 0), config.Size("kernel_size", {0, 0}),
      Conv2DOptions{.strides = config.Size("strides", {1, 1}),
                    .padding = config.Get<std::string>("padding", "valid"),
                    .dilation_rate = config.Size("dilation_rate", {1, 1}),
                    .activation = config.Activation(),
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

Conv2D::Conv2D(int64_t filters, Size2D kernel_size, Conv2DOptions options)
    : Layer(std::make_shared<internal::Conv2DState>(filters, kernel_size, std::move(options))) {}

}  // namespace headrace::keras
