// Nodes that are one operation of ours.
#include <algorithm>
#include <optional>
#include <utility>

#include "savedmodel/import/attributes.h"
#include "savedmodel/import/operations.h"
#include "savedmodel/padding.h"

namespace headrace::savedmodel {
namespace {

constexpr int64_t kMaxPadding = int64_t{1} << 20;

Status RequireRank(GraphImporter& importer, const tf::NodeDef& node, int value, size_t rank) {
  const Shape& shape = importer.ShapeAt(value);
  if (shape.rank() == rank) return {};
  return Fail(ErrorCode::kInvalidArgument, "{}: its input has shape {}, wanted {} dimensions", Describe(node),
              shape.ToString(), rank);
}

Status RequireSize(const tf::NodeDef& node, const keras::VariablePtr& weight, const Shape& wanted) {
  if (weight->value.shape() == wanted) return {};
  return Fail(ErrorCode::kInvalidArgument, "{}: its weight '{}' has shape {}, wanted {}", Describe(node), weight->name,
              weight->value.shape().ToString(), wanted.ToString());
}

Result<Padding> ReadPadding(const tf::NodeDef& node, const Window& rows, const Window& columns) {
  const std::string name = StringAttribute(node, "padding", "");
  if (name == "VALID") return Padding{};
  if (name == "SAME") return SamePadding(rows, columns);
  const std::vector<int64_t> p = IntsAttribute(node, "explicit_paddings", {});
  bool fine = name == "EXPLICIT" && p.size() == 8 && p[0] == 0 && p[1] == 0 && p[6] == 0 && p[7] == 0;
  for (const int64_t x : p) fine = fine && x >= 0 && x <= kMaxPadding;
  if (!fine)
    return Fail(ErrorCode::kInvalidArgument,
                "{}: its padding is '{}' {}, wanted VALID, SAME or EXPLICIT (0, 0, …, 0, 0)", Describe(node), name,
                Shape(p).ToString());
  return Padding{p[2], p[3], p[4], p[5]};
}

// Places of a window; below 1 when it does not fit.
int64_t Places(const Window& w, int64_t padding) {
  const int64_t rest = w.size + padding - ((w.kernel - 1) * w.dilation + 1);
  return rest < 0 ? 0 : rest / w.stride + 1;
}

// [h, w, o, i] with rows and columns in opposite order, as [h, w, i, o].
Tensor TurnedRound(const Tensor& kernel) {
  const Shape& k = kernel.shape();
  Tensor turned(DType::kFloat32, {k[0], k[1], k[3], k[2]});
  const float* from = kernel.data<float>();
  float* to = turned.data<float>();
  for (int64_t place = 0; place < k[0] * k[1]; ++place)
    for (int64_t o = 0; o < k[2]; ++o)
      for (int64_t i = 0; i < k[3]; ++i)
        to[((k[0] * k[1] - 1 - place) * k[3] + i) * k[2] + o] = from[(place * k[2] + o) * k[3] + i];
  return turned;
}

Result<Item> EmitConv(GraphImporter& importer, const tf::NodeDef& node, int x, keras::VariablePtr kernel,
                      int64_t groups) {
  HEADRACE_ASSIGN(const auto strides, SpatialAttribute(node, "strides"));
  HEADRACE_ASSIGN(const auto dilations, SpatialAttribute(node, "dilations"));
  const Shape in = importer.ShapeAt(x), k = kernel->value.shape();
  const Window rows = {in[1], k[0], strides[0], dilations[0]}, columns = {in[2], k[1], strides[1], dilations[1]};
  HEADRACE_ASSIGN(const Padding padding, ReadPadding(node, rows, columns));
  const keras::Conv2DOp op = {strides[0],     strides[1],   dilations[0],  dilations[1], padding.top,
                              padding.bottom, padding.left, padding.right, false,        groups};
  const Shape shape = {-1, Places(rows, padding.top + padding.bottom), Places(columns, padding.left + padding.right),
                       k[3]};
  return importer.Emit(node, op, {x}, shape, {std::move(kernel)});
}

// What a convolution reads: a value, with its rows and columns where they belong or not.
struct Convolved {
  int x = 0;
  std::optional<SpacedValue> spaced;
};
Result<Convolved> ConvolvedInput(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(Item item, importer.Input(node, 0));
  if (auto* spaced = std::get_if<SpacedValue>(&item)) return Convolved{spaced->x, std::move(*spaced)};
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  return Convolved{x, std::nullopt};
}

// The axes that input 1 names, of an activation; never the batch.
Result<std::vector<bool>> ReadReducedAxes(GraphImporter& importer, const tf::NodeDef& node, const Shape& in) {
  HEADRACE_ASSIGN(const std::vector<int64_t> axes, importer.IntsInput(node, 1));
  std::vector<bool> reduced(in.rank());
  bool fits = !axes.empty();
  for (const int64_t named : axes) {
    const int64_t axis = WrapAxis(named, in.rank());
    fits = fits && axis >= 1 && axis < static_cast<int64_t>(in.rank());
    if (fits) reduced[static_cast<size_t>(axis)] = true;
  }
  if (!fits)
    return Fail(ErrorCode::kInvalidArgument, "{}: it reduces {} over axes {}, wanted some but the batch",
                Describe(node), in.ToString(), Shape(axes).ToString());
  return reduced;
}

struct Pooling {
  int x;
  keras::MaxPoolOp op;
  Shape shape;
};
Result<Pooling> ReadPooling(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_TRY(RequireChannelsLast(node));
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  HEADRACE_TRY(RequireRank(importer, node, x, 4));
  HEADRACE_ASSIGN(const auto pool, SpatialAttribute(node, "ksize"));
  HEADRACE_ASSIGN(const auto strides, SpatialAttribute(node, "strides"));
  const Shape in = importer.ShapeAt(x);
  const Window rows = {in[1], pool[0], strides[0], 1}, columns = {in[2], pool[1], strides[1], 1};
  HEADRACE_ASSIGN(const Padding padding, ReadPadding(node, rows, columns));
  return Pooling{
      x,
      {pool[0], pool[1], strides[0], strides[1], padding.top, padding.bottom, padding.left, padding.right},
      {-1, Places(rows, padding.top + padding.bottom), Places(columns, padding.left + padding.right), in[3]}};
}

}  // namespace

Result<Item> ImportConv2D(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_TRY(RequireChannelsLast(node));
  HEADRACE_ASSIGN(const Convolved input, ConvolvedInput(importer, node));
  const int x = input.x;
  HEADRACE_TRY(RequireRank(importer, node, x, 4));
  HEADRACE_ASSIGN(auto kernel, importer.Weight(node, 1, 4));
  const Shape in = importer.ShapeAt(x), k = kernel->value.shape();
  const int64_t groups = k[2] > 0 && in[3] % k[2] == 0 ? in[3] / k[2] : 1;
  HEADRACE_TRY(RequireSize(node, kernel, {k[0], k[1], in[3] / groups, k[3]}));
  if (k[3] % groups != 0)
    return Fail(ErrorCode::kInvalidArgument, "{}: {} filters in {} groups", Describe(node), k[3], groups);
  if (input.spaced) return ConvolveSpaced(node, *input.spaced, std::move(kernel), groups);
  return EmitConv(importer, node, x, std::move(kernel), groups);
}

Result<Item> ImportDepthwise(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_TRY(RequireChannelsLast(node));
  HEADRACE_ASSIGN(const Convolved input, ConvolvedInput(importer, node));
  const int x = input.x;
  HEADRACE_TRY(RequireRank(importer, node, x, 4));
  HEADRACE_ASSIGN(const auto kernel, importer.Weight(node, 1, 4));
  const Shape in = importer.ShapeAt(x), k = kernel->value.shape();
  HEADRACE_TRY(RequireSize(node, kernel, {k[0], k[1], in[3], k[3]}));
  // Filter c * multiplier + i reads channel c: the same bytes are the kernel of c groups of one channel.
  auto grouped = std::make_shared<keras::Variable>(
      keras::Variable{kernel->name, kernel->trainable, kernel->value.Reshape({k[0], k[1], 1, in[3] * k[3]})});
  if (input.spaced) return ConvolveSpaced(node, *input.spaced, std::move(grouped), in[3]);
  return EmitConv(importer, node, x, std::move(grouped), in[3]);
}

Result<Item> ImportMatMul(GraphImporter& importer, const tf::NodeDef& node) {
  if (BoolAttribute(node, "transpose_a", false))
    return Fail(ErrorCode::kInvalidArgument, "{}: it transposes its first input, wanted x * kernel", Describe(node));
  HEADRACE_ASSIGN(const Item item, importer.Input(node, 0));
  const auto* merged = std::get_if<MergedValue>(&item);
  int x = merged != nullptr ? merged->index : 0;
  if (merged == nullptr) {
    HEADRACE_ASSIGN(x, importer.Activation(node, 0));
    HEADRACE_TRY(RequireRank(importer, node, x, 2));
  }
  HEADRACE_ASSIGN(auto kernel, importer.Weight(node, 1, 2));
  if (BoolAttribute(node, "transpose_b", false)) {
    const Tensor& b = kernel->value;
    Tensor turned(DType::kFloat32, {b.dim(1), b.dim(0)});
    for (int64_t i = 0; i < b.dim(0); ++i)
      for (int64_t k = 0; k < b.dim(1); ++k) turned.data<float>()[k * b.dim(0) + i] = b.data<float>()[i * b.dim(1) + k];
    kernel = std::make_shared<keras::Variable>(keras::Variable{kernel->name, kernel->trainable, turned});
  }
  const int64_t units = kernel->value.dim(1);
  Shape shape = importer.ShapeAt(x);
  HEADRACE_TRY(RequireSize(node, kernel, {shape[shape.rank() - 1], units}));
  shape[shape.rank() - 1] = units;
  HEADRACE_ASSIGN(const Item product,
                  importer.Emit(node, keras::DenseOp{false}, {x}, std::move(shape), {std::move(kernel)}));
  return merged != nullptr ? Item(MergedValue{std::get<GraphValue>(product).index}) : product;
}

Result<Item> ImportBias(GraphImporter& importer, const tf::NodeDef& node, int value, keras::VariablePtr bias) {
  const keras::Value layer = importer.graph().values[static_cast<size_t>(value)];
  HEADRACE_TRY(RequireSize(node, bias, {layer.shape[layer.shape.rank() - 1]}));
  keras::Operation op = layer.op;
  bool* use_bias = nullptr;
  if (auto* conv = std::get_if<keras::Conv2DOp>(&op)) use_bias = &conv->use_bias;
  if (auto* dense = std::get_if<keras::DenseOp>(&op)) use_bias = &dense->use_bias;
  if (use_bias == nullptr || std::exchange(*use_bias, true)) return Item(Unknown{&node});
  return importer.Emit(node, op, layer.inputs, layer.shape, {layer.variables[0], std::move(bias)});
}

Result<Item> ImportBiasAdd(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_TRY(RequireChannelsLast(node));
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  HEADRACE_ASSIGN(auto bias, importer.Weight(node, 1, 1));
  HEADRACE_ASSIGN(Item item, ImportBias(importer, node, x, std::move(bias)));
  return std::holds_alternative<Unknown>(item) ? ImportAdd(importer, node) : Result<Item>(std::move(item));
}

Result<Item> ImportBatchNorm(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_TRY(RequireChannelsLast(node));
  // Keras 2 on TensorFlow 1 computes it in front of the condition that takes the other one.
  if (BoolAttribute(node, "is_training", true))
    return Item(Unknown{&node, "is_training is true, wanted a graph for inference"});
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  HEADRACE_TRY(RequireRank(importer, node, x, 4));
  std::vector<keras::VariablePtr> weights;
  for (int i = 1; i <= 4; ++i) {
    HEADRACE_ASSIGN(auto weight, importer.Weight(node, i, 1, i <= 2));
    HEADRACE_TRY(RequireSize(node, weight, {importer.ShapeAt(x)[3]}));
    weights.push_back(std::move(weight));
  }
  keras::BatchNormOp op;
  op.epsilon = FloatAttribute(node, "epsilon", 1e-4f);
  return importer.Emit(node, op, {x}, Shape(importer.ShapeAt(x)), std::move(weights));
}

Result<Item> ImportMaxPool(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(Pooling pooling, ReadPooling(importer, node));
  return importer.Emit(node, pooling.op, {pooling.x}, std::move(pooling.shape));
}

Result<Item> ImportAvgPool(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(Pooling pooling, ReadPooling(importer, node));
  const keras::MaxPoolOp& p = pooling.op;
  return importer.Emit(node,
                       keras::AveragePoolOp{p.pool_h, p.pool_w, p.stride_h, p.stride_w, p.pad_top, p.pad_bottom,
                                            p.pad_left, p.pad_right},
                       {pooling.x}, std::move(pooling.shape));
}

// Means and maxima of images over rows and columns are poolings; others are plain reductions.
Result<Item> ImportReduction(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const Item item, importer.Input(node, 0));
  if (!std::holds_alternative<GraphValue>(item))
    return std::holds_alternative<Unknown>(item) ? item : Item(Unknown{&node});
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  const Shape in = importer.ShapeAt(x);
  HEADRACE_ASSIGN(const std::vector<bool> reduced, ReadReducedAxes(importer, node, in));
  const bool keep = BoolAttribute(node, "keep_dims", false);
  std::vector<int64_t> kept, dims;
  for (size_t axis = 0; axis < in.rank(); ++axis) {
    kept.push_back(reduced[axis] ? 1 : in[axis]);
    if (keep || !reduced[axis]) dims.push_back(kept.back());
  }
  const bool image = reduced == std::vector<bool>{false, true, true, false};
  if (image && node.op() == "Mean")
    return importer.Emit(node, keras::GlobalAveragePoolOp{}, {x}, Shape(std::move(dims)));
  if (image && node.op() == "Max") {
    HEADRACE_ASSIGN(Item pooled, importer.Emit(node, keras::MaxPoolOp{in[1], in[2], in[1], in[2]}, {x}, Shape(kept)));
    if (keep) return pooled;
    return importer.Emit(node, keras::FlattenOp{}, {std::get<GraphValue>(pooled).index}, Shape(std::move(dims)));
  }
  const auto kind = node.op() == "Mean"  ? tensor::Reduction::kMean
                    : node.op() == "Sum" ? tensor::Reduction::kSum
                    : node.op() == "Max" ? tensor::Reduction::kMaximum
                                         : tensor::Reduction::kMinimum;
  return importer.Emit(node, keras::ReduceOp{kind, reduced}, {x}, Shape(std::move(dims)));
}

Result<Item> ImportResize(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  HEADRACE_TRY(RequireRank(importer, node, x, 4));
  HEADRACE_ASSIGN(const auto size, importer.IntsInput(node, 1));
  if (size.size() != 2 || size[0] < 1 || size[1] < 1 || size[0] > kMaxPadding || size[1] > kMaxPadding)
    return Fail(ErrorCode::kInvalidArgument, "{}: its size is {}, wanted rows and columns", Describe(node),
                Shape(size).ToString());
  keras::ResizeOp op;
  if (node.op() == "ResizeBilinear") op.resampling = tensor::Resampling::kBilinear;
  op.half_pixels = BoolAttribute(node, "half_pixel_centers", false);
  op.aligned_corners = BoolAttribute(node, "align_corners", false);
  const Shape in = importer.ShapeAt(x);
  return importer.Emit(node, op, {x}, {-1, size[0], size[1], in[3]});
}

// The gradient of a convolution by its input, [output shape, kernel HWOI, x]: a plain one, with the kernel turned
// round, of x with zeros between its rows and columns.
Result<Item> ImportTransposedConv(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_TRY(RequireChannelsLast(node));
  HEADRACE_ASSIGN(const auto size, importer.IntsInput(node, 0));
  HEADRACE_ASSIGN(const auto kernel, importer.Weight(node, 1, 4));
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 2));
  HEADRACE_TRY(RequireRank(importer, node, x, 4));
  HEADRACE_ASSIGN(const auto strides, SpatialAttribute(node, "strides"));
  HEADRACE_ASSIGN(const auto dilations, SpatialAttribute(node, "dilations"));
  const Shape in = importer.ShapeAt(x), k = kernel->value.shape();
  const int64_t filters = k[2], channels = k[3];
  if (size.size() != 4 || size[0] != -1 || size[3] != filters || channels != in[3])
    return Fail(ErrorCode::kInvalidArgument, "{}: its output shape is {}, its kernel {}, its input {}", Describe(node),
                Shape(size).ToString(), k.ToString(), in.ToString());
  const Window rows = {size[1], k[0], strides[0], dilations[0]}, columns = {size[2], k[1], strides[1], dilations[1]};
  HEADRACE_ASSIGN(const Padding forward, ReadPadding(node, rows, columns));
  if (Places(rows, forward.top + forward.bottom) != in[1] || Places(columns, forward.left + forward.right) != in[2])
    return Fail(ErrorCode::kInvalidArgument, "{}: an output of {} does not come from {}", Describe(node),
                Shape(size).ToString(), in.ToString());
  const int64_t h = (in[1] - 1) * strides[0] + 1, w = (in[2] - 1) * strides[1] + 1;
  const int64_t span_h = (k[0] - 1) * dilations[0], span_w = (k[1] - 1) * dilations[1];
  keras::Conv2DOp op = {.dilation_h = dilations[0],
                        .dilation_w = dilations[1],
                        .pad_top = span_h - forward.top,
                        .pad_bottom = size[1] - h + forward.top,
                        .pad_left = span_w - forward.left,
                        .pad_right = size[2] - w + forward.left,
                        .use_bias = false};
  if (op.pad_top < 0 || op.pad_bottom < 0 || op.pad_left < 0 || op.pad_right < 0)
    return Fail(ErrorCode::kInvalidArgument, "{}: its paddings are larger than its kernel", Describe(node));
  int spread = x;
  if (strides[0] > 1 || strides[1] > 1) {
    HEADRACE_ASSIGN(const Item item,
                    importer.Emit(node, keras::SpreadOp{strides[0], strides[1]}, {x}, {-1, h, w, in[3]}));
    spread = std::get<GraphValue>(item).index;
  }
  auto turned =
      std::make_shared<keras::Variable>(keras::Variable{kernel->name, kernel->trainable, TurnedRound(kernel->value)});
  return importer.Emit(node, op, {spread}, {-1, size[1], size[2], filters}, {std::move(turned)});
}

Result<Item> ImportPad(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  HEADRACE_TRY(RequireRank(importer, node, x, 4));
  HEADRACE_ASSIGN(const std::vector<int64_t> p, importer.IntsInput(node, 1));
  if (p.size() != 8)
    return Fail(ErrorCode::kInvalidArgument, "{}: it has {} paddings, wanted (4, 2)", Describe(node), p.size());
  if (node.op() == "PadV2") {
    HEADRACE_ASSIGN(const auto fill, importer.Weight(node, 2, 0));
    if (fill->value.size() != 1 || fill->value.data<float>()[0] != 0)
      return Fail(ErrorCode::kInvalidArgument, "{}: it fills with something else than zero", Describe(node));
  }
  bool fine = p[0] == 0 && p[1] == 0 && p[6] == 0 && p[7] == 0;
  for (size_t i = 0; i < 8; ++i) fine = fine && p[i] >= 0 && p[i] <= kMaxPadding;
  if (!fine) return Fail(ErrorCode::kInvalidArgument, "{}: it pads more than rows and columns", Describe(node));
  const Shape in = importer.ShapeAt(x);
  return importer.Emit(node, keras::ZeroPadOp{p[2], p[3], p[4], p[5]}, {x},
                       {-1, in[1] + p[2] + p[3], in[2] + p[4] + p[5], in[3]});
}

Result<Item> ImportActivation(GraphImporter& importer, const tf::NodeDef& node) {
  static constexpr std::pair<std::string_view, tensor::Activation> kActivations[] = {
      {"Relu", tensor::Activation::kRelu},       {"Sigmoid", tensor::Activation::kSigmoid},
      {"Tanh", tensor::Activation::kTanh},       {"Elu", tensor::Activation::kElu},
      {"Softmax", tensor::Activation::kSoftmax},
  };
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  for (const auto& [name, activation] : kActivations)
    if (name == node.op()) return importer.Emit(node, keras::ActivationOp{activation}, {x}, Shape(importer.ShapeAt(x)));
  return Fail(ErrorCode::kInternal, "{}: no activation", Describe(node));
}

// x - max(x) - log(sum(exp(x - max(x)))), along the last axis.
Result<Item> ImportLogSoftmax(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  const Shape shape = importer.ShapeAt(x);
  if (shape.rank() < 2)
    return Fail(ErrorCode::kInvalidArgument, "{}: its input has shape {}, wanted 2 dimensions or more", Describe(node),
                shape.ToString());
  Shape one = shape;
  one[shape.rank() - 1] = 1;
  std::vector<bool> last(shape.rank());
  last.back() = true;
  const auto emit = [&](keras::Operation op, std::vector<int> inputs, const Shape& made) -> Result<int> {
    HEADRACE_ASSIGN(const Item item, importer.Emit(node, std::move(op), std::move(inputs), Shape(made)));
    return std::get<GraphValue>(item).index;
  };
  HEADRACE_ASSIGN(const int most, emit(keras::ReduceOp{tensor::Reduction::kMaximum, last}, {x}, one));
  HEADRACE_ASSIGN(const int below, emit(keras::BinaryOp{tensor::Binary::kSub}, {x, most}, shape));
  HEADRACE_ASSIGN(const int powers, emit(keras::PointwiseOp{tensor::Pointwise::kExp}, {below}, shape));
  HEADRACE_ASSIGN(const int sum, emit(keras::ReduceOp{tensor::Reduction::kSum, last}, {powers}, one));
  HEADRACE_ASSIGN(const int log, emit(keras::PointwiseOp{tensor::Pointwise::kLog}, {sum}, one));
  return importer.Emit(node, keras::BinaryOp{tensor::Binary::kSub}, {below, log}, Shape(shape));
}

}  // namespace headrace::savedmodel
