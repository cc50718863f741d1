// ZeroPadding2D.
#include "base/result.h"
#include "keras/layers/config.h"

namespace headrace::keras {
namespace internal {
namespace {

using Borders = std::array<Size2D, 2>;

class ZeroPadding2DState final : public LayerState {
 public:
  ZeroPadding2DState(Borders padding, LayerOptions options) : padding_(padding) {
    name = std::move(options.name);
    input_shape = std::move(options.input_shape);
    for (const Size2D& side : padding_)
      if (side[0] < 0 || side[1] < 0)
        throw MakeError(ErrorCode::kInvalidArgument,
                        "{}: padding: found (({}, {}), ({}, {})), wanted no negative number", Label(), padding_[0][0],
                        padding_[0][1], padding_[1][0], padding_[1][1]);
  }

  std::string ClassName() const override { return "ZeroPadding2D"; }
  Shape OutputShape(const std::vector<Shape>& inputs) const override {
    const Shape& input = OneInput(inputs, 4, "(batch, height, width, channels)");
    return {input[0], input[1] + padding_[0][0] + padding_[0][1], input[2] + padding_[1][0] + padding_[1][1], input[3]};
  }
  int Lower(Graph& graph, const std::vector<int>& inputs) const override {
    const Shape shape = OutputShape({graph.values[inputs[0]].shape});
    const ZeroPadOp op{
        .top = padding_[0][0], .bottom = padding_[0][1], .left = padding_[1][0], .right = padding_[1][1]};
    return graph.Append({op, name, inputs, shape, {}});
  }
  nlohmann::json Config() const override { return {{"padding", padding_}, {"data_format", "channels_last"}}; }

 private:
  Borders padding_;
};

}  // namespace

std::shared_ptr<LayerState> ZeroPadding2DFromConfig(const LayerConfig& config) {
  config.Require("data_format", "channels_last");
  return std::make_shared<ZeroPadding2DState>(config.Get<Borders>("padding", {{{1, 1}, {1, 1}}}),
                                              LayerOptions{.name = config.name()});
}

}  // namespace internal

ZeroPadding2D::ZeroPadding2D(std::array<Size2D, 2> padding, LayerOptions options)
    : Layer(std::make_shared<internal::ZeroPadding2DState>(padding, std::move(options))) {}

}  // namespace headrace::keras
