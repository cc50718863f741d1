#include "savedmodel/export/operations.h"

#include <cmath>
#include <limits>

#include "base/result.h"
#include "savedmodel/padding.h"

namespace headrace::savedmodel {
namespace {

using keras::Value;

// What an operation is written from.
struct Context {
  const keras::Graph& graph;
  const Value& value;
  const std::vector<std::string>& nodes;  // of the values before it
  GraphWriter& writer;
  VariableWriter& variables;

  const std::string& input(size_t i = 0) const { return nodes[static_cast<size_t>(value.inputs[i])]; }
  const Shape& input_shape() const { return graph.values[static_cast<size_t>(value.inputs[0])].shape; }
  std::string variable(size_t i) const { return variables.Read(value.variables[i]); }
  std::string Named(const char* node) const { return value.layer + "/" + node; }
  // A node of type float named after its operation.
  std::string Float(const char* op, const std::vector<std::string>& inputs) const {
    return writer.AddFloat(op, Named(op), inputs);
  }
};

std::string AddBias(const Context& c, const std::string& x, size_t variable) {
  return c.writer.Add("BiasAdd", c.Named("BiasAdd"), {x, c.variable(variable)})
      .Type("T", tf::DT_FLOAT)
      .String("data_format", "NHWC")
      .name();
}

// SAME or VALID where that is what it is, as more readers know them than explicit paddings.
void SetPadding(NodeWriter& node, const Padding& padding, const Window& rows, const Window& columns) {
  const char* name = padding == Padding{} ? "VALID" : padding == SamePadding(rows, columns) ? "SAME" : "EXPLICIT";
  node.String("padding", name);
  if (std::string_view(name) == "EXPLICIT")
    node.Ints("explicit_paddings", {0, 0, padding.top, padding.bottom, padding.left, padding.right, 0, 0});
}

std::string Write(const Context& c, const keras::Conv2DOp& op) {
  const Shape& kernel = c.value.variables[0]->value.shape();
  const Window rows = {c.input_shape()[1], kernel[0], op.stride_h, op.dilation_h};
  const Window columns = {c.input_shape()[2], kernel[1], op.stride_w, op.dilation_w};
  NodeWriter node = c.writer.Add("Conv2D", c.Named("Conv2D"), {c.input(), c.variable(0)});
  node.Type("T", tf::DT_FLOAT)
      .Ints("strides", {1, op.stride_h, op.stride_w, 1})
      .Ints("dilations", {1, op.dilation_h, op.dilation_w, 1})
      .String("data_format", "NHWC");
  SetPadding(node, {op.pad_top, op.pad_bottom, op.pad_left, op.pad_right}, rows, columns);
  return op.use_bias ? AddBias(c, node.name(), 1) : node.name();
}

std::string Write(const Context& c, const keras::DenseOp& op) {
  if (c.value.shape.rank() != 2)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "layer '{}': a Dense over an output of shape {} is not exported yet, wanted (None, units)",
                    c.value.layer, c.value.shape.ToString());
  const std::string product = c.writer.Add("MatMul", c.Named("MatMul"), {c.input(), c.variable(0)})
                                  .Type("T", tf::DT_FLOAT)
                                  .Bool("transpose_a", false)
                                  .Bool("transpose_b", false)
                                  .name();
  return op.use_bias ? AddBias(c, product, 1) : product;
}

std::string Write(const Context& c, const keras::BatchNormOp& op) {
  const std::string gamma = c.variable(0), beta = c.variable(1), mean = c.variable(2), variance = c.variable(3);
  if (c.value.shape.rank() == 4)
    return c.writer.Add("FusedBatchNormV3", c.Named("FusedBatchNormV3"), {c.input(), gamma, beta, mean, variance})
        .Type("T", tf::DT_FLOAT)
        .Type("U", tf::DT_FLOAT)
        .Float("epsilon", op.epsilon)
        .Bool("is_training", false)
        .String("data_format", "NHWC")
        .name();
  // The fused operation knows images only: x * s + (beta - mean * s) with s = gamma / sqrt(variance + epsilon).
  const std::string epsilon = c.writer.FloatConst(c.Named("batchnorm/epsilon"), op.epsilon);
  const auto node = [&](const char* name, const char* type, const std::string& a, const std::string& b) {
    return c.writer.AddFloat(type, c.Named(name), {a, b});
  };
  const std::string sum = node("batchnorm/add", "AddV2", variance, epsilon);
  const std::string rsqrt = c.writer.AddFloat("Rsqrt", c.Named("batchnorm/Rsqrt"), {sum});
  const std::string scale = node("batchnorm/mul", "Mul", rsqrt, gamma);
  const std::string scaled = node("batchnorm/mul_1", "Mul", c.input(), scale);
  const std::string shift = node("batchnorm/sub", "Sub", beta, node("batchnorm/mul_2", "Mul", mean, scale));
  return node("batchnorm/add_1", "AddV2", scaled, shift);
}

// x * 0.5 * (1 + erf(x / sqrt(2)))
std::string WriteGelu(const Context& c) {
  const std::string half = c.writer.FloatConst(c.Named("Gelu/mul/x"), 0.5f);
  const std::string root = c.writer.FloatConst(c.Named("Gelu/Const"), 1.4142135f);
  const std::string one = c.writer.FloatConst(c.Named("Gelu/add/x"), 1.0f);
  const std::string scaled = c.writer.AddFloat("Mul", c.Named("Gelu/mul"), {half, c.input()});
  const std::string quotient = c.writer.AddFloat("RealDiv", c.Named("Gelu/truediv"), {c.input(), root});
  const std::string erf = c.writer.AddFloat("Erf", c.Named("Gelu/Erf"), {quotient});
  const std::string sum = c.writer.AddFloat("AddV2", c.Named("Gelu/add"), {one, erf});
  return c.writer.AddFloat("Mul", c.Named("Gelu/mul_1"), {scaled, sum});
}

std::string Write(const Context& c, const keras::ActivationOp& op) {
  switch (op.activation) {
    case tensor::Activation::kLinear:
      return c.input();
    case tensor::Activation::kRelu:
      return c.Float("Relu", {c.input()});
    case tensor::Activation::kSigmoid:
      return c.Float("Sigmoid", {c.input()});
    case tensor::Activation::kTanh:
      return c.Float("Tanh", {c.input()});
    case tensor::Activation::kElu:
      return c.Float("Elu", {c.input()});
    case tensor::Activation::kGelu:
      return WriteGelu(c);
    case tensor::Activation::kSwish:
      return c.Float("Mul", {c.input(), c.Float("Sigmoid", {c.input()})});
    case tensor::Activation::kSoftmax:
      return c.Float("Softmax", {c.input()});
  }
  throw MakeError(ErrorCode::kInternal, "{}: an activation that export does not know", c.value.layer);
}

std::string WritePad(const Context& c, const Padding& padding, const float* fill) {
  const auto value = [](int64_t x) { return static_cast<int32_t>(x); };
  const std::string paddings = c.writer.IntsConst(
      c.Named("Pad/paddings"),
      {0, 0, value(padding.top), value(padding.bottom), value(padding.left), value(padding.right), 0, 0}, {4, 2});
  std::vector<std::string> inputs = {c.input(), paddings};
  if (fill != nullptr) inputs.push_back(c.writer.FloatConst(c.Named("Pad/constant_values"), *fill));
  return c.writer.Add(fill == nullptr ? "Pad" : "PadV2", c.Named("Pad"), inputs)
      .Type("T", tf::DT_FLOAT)
      .Type("Tpaddings", tf::DT_INT32)
      .name();
}

std::string Write(const Context& c, const keras::ZeroPadOp& op) {
  return WritePad(c, {op.top, op.bottom, op.left, op.right}, nullptr);
}

std::string Write(const Context& c, const keras::MaxPoolOp& op) {
  const Padding padding = {op.pad_top, op.pad_bottom, op.pad_left, op.pad_right};
  const Padding same =
      SamePadding({c.input_shape()[1], op.pool_h, op.stride_h, 1}, {c.input_shape()[2], op.pool_w, op.stride_w, 1});
  std::string input = c.input();
  const bool is_same = padding == same && padding != Padding{};
  if (padding != Padding{} && !is_same) {
    const float lowest = -std::numeric_limits<float>::infinity();  // padding never wins
    input = WritePad(c, padding, &lowest);
  }
  return c.writer.Add("MaxPool", c.Named("MaxPool"), {input})
      .Type("T", tf::DT_FLOAT)
      .Ints("ksize", {1, op.pool_h, op.pool_w, 1})
      .Ints("strides", {1, op.stride_h, op.stride_w, 1})
      .String("padding", is_same ? "SAME" : "VALID")
      .String("data_format", "NHWC")
      .name();
}

std::string Write(const Context& c, const keras::GlobalAveragePoolOp&) {
  const std::string axes = c.writer.IntsConst(c.Named("Mean/reduction_indices"), {1, 2}, {2});
  return c.writer.Add("Mean", c.Named("Mean"), {c.input(), axes})
      .Type("T", tf::DT_FLOAT)
      .Type("Tidx", tf::DT_INT32)
      .Bool("keep_dims", false)
      .name();
}

std::string Write(const Context& c, const keras::FlattenOp&) {
  if (c.value.shape.rank() != 2 || c.value.shape[1] < 0)
    throw MakeError(
        ErrorCode::kInvalidArgument,
        "layer '{}': a value reshaped to {} is not exported as a SavedModel yet: save_weights() keeps the weights",
        c.value.layer, c.value.shape.ToString());
  const std::string shape = c.writer.IntsConst(c.Named("Const"), {-1, static_cast<int32_t>(c.value.shape[1])}, {2});
  return c.writer.Add("Reshape", c.Named("Reshape"), {c.input(), shape})
      .Type("T", tf::DT_FLOAT)
      .Type("Tshape", tf::DT_INT32)
      .name();
}

std::string Write(const Context& c, const keras::AddOp&) { return c.Float("AddV2", {c.input(0), c.input(1)}); }
std::string Write(const Context& c, const keras::DropoutOp&) { return c.input(); }
std::string Write(const Context& c, const keras::InputOp&) {
  throw MakeError(ErrorCode::kInternal, "{}: a second input", c.value.layer);
}

template <typename Op>
std::string Write(const Context& c, const Op&) {
  throw MakeError(ErrorCode::kInvalidArgument,
                  "layer '{}': its operation is not exported as a SavedModel yet: save_weights() keeps the weights",
                  c.value.layer);
}

}  // namespace

std::string WriteOperations(const keras::Graph& graph, const std::string& input, GraphWriter& writer,
                            VariableWriter& variables) {
  std::vector<std::string> nodes = {input};
  for (size_t i = 1; i < graph.values.size(); ++i) {
    const Context context{graph, graph.values[i], nodes, writer, variables};
    nodes.push_back(std::visit([&](const auto& op) { return Write(context, op); }, graph.values[i].op));
  }
  return nodes[static_cast<size_t>(graph.output)];
}

}  // namespace headrace::savedmodel
