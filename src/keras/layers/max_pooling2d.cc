// MaxPooling2D.
#include "keras/layers/checks.h"
#include "keras/layers/config.h"
#include "keras/layers/window.h"

namespace headrace::keras {
namespace internal {
namespace {

class MaxPooling2DState final : public LayerState {
 public:
  MaxPooling2DState(Size2D pool_size, MaxPooling2DOptions options) : pool_size_(pool_size) {
    name = std::move(options.name);
    input_shape = std::move(options.input_shape);
    CheckPositive(Label(), "pool_size", pool_size_);
    strides_ = options.strides == Size2D{0, 0} ? pool_size_ : options.strides;
    CheckPositive(Label(), "strides", strides_);
    padding_ = PaddingByName(Label(), options.padding);
  }

  std::string ClassName() const override { return "MaxPooling2D"; }

  Shape OutputShape(const std::vector<Shape>& inputs) const override {
    const Shape& input = OneInput(inputs, 4, "(batch, height, width, channels)");
    return {input[0], Place(input, 0).out, Place(input, 1).out, input[3]};
  }

  int Lower(Graph& graph, const std::vector<int>& inputs) const override {
    const Shape input = graph.values[inputs[0]].shape;
    const Window rows = Place(input, 0), columns = Place(input, 1);
    const MaxPoolOp op{.pool_h = pool_size_[0],
                       .pool_w = pool_size_[1],
                       .stride_h = strides_[0],
                       .stride_w = strides_[1],
                       .pad_top = rows.before,
                       .pad_bottom = rows.after,
                       .pad_left = columns.before,
                       .pad_right = columns.after};
    return graph.Append({op, name, inputs, OutputShape({input}), {}});
  }

  nlohmann::json Config() const override {
    return {{"pool_size", pool_size_},
            {"padding", NameOf(padding_)},
            {"strides", strides_},
            {"data_format", "channels_last"}};
  }

 private:
  Window Place(const Shape& input, size_t axis) const {
    return PlaceWindow(Label(), axis == 0 ? "height" : "width", input[axis + 1], pool_size_[axis], strides_[axis],
                       padding_);
  }

  Size2D pool_size_, strides_;
  Padding padding_;
};

}  // namespace

std::shared_ptr<LayerState> MaxPooling2DFromConfig(const LayerConfig& config) {
  config.Require("data_format", "channels_last");
  return std::make_shared<MaxPooling2DState>(config.Size("pool_size", {2, 2}),
                                             MaxPooling2DOptions{.strides = config.Size("strides", {0, 0}),
                                                                 .padding = config.Get<std::string>("padding", "valid"),
                                                                 .name = config.name()});
}

}  // namespace internal

MaxPooling2D::MaxPooling2D(Size2D pool_size, MaxPooling2DOptions options)
    : Layer(std::make_shared<internal::MaxPooling2DState>(pool_size, std::move(options))) {}

}  // namespace headrace::keras
