// headrace/ops.h: activations, and the losses that read what they were applied to.
#include <cmath>

#include "headrace/keras/losses.h"
#include "headrace/ops.h"

#include "keras/losses/formulas.h"
#include "keras/symbolic/operation_layer.h"

namespace headrace::keras::ops {
namespace {

KerasTensor Activate(const char* name, tensor::Activation activation, const KerasTensor& x) {
  return internal::Apply(name, {x}, [activation](GraphBuilder& build, const std::vector<int>& in) {
    return build.Activation(activation, in[0]);
  });
}

KerasTensor Bend(const char* name, tensor::Pointwise kind, const KerasTensor& x, float alpha = 0) {
  return internal::Apply(name, {x}, [kind, alpha](GraphBuilder& build, const std::vector<int>& in) {
    return build.Pointwise(kind, in[0], alpha);
  });
}

// Functions of the last axis, along another one.
template <typename Function>
KerasTensor AlongAxis(const KerasTensor& x, int64_t axis, const Function& of_last) {
  const auto rank = static_cast<int64_t>(x.shape().rank());
  return axis == -1 || axis == rank - 1 ? of_last(x) : swapaxes(of_last(swapaxes(x, axis, -1)), axis, -1);
}

template <typename Function>
KerasTensor OfTargets(const char* name, const KerasTensor& target, const KerasTensor& output, Function function) {
  return internal::Apply(name, {target, output}, [function](GraphBuilder& build, const std::vector<int>& x) {
    return function(build, build.Cast(x[0], DType::kFloat32), build.Cast(x[1], DType::kFloat32));
  });
}

}  // namespace

KerasTensor relu(const KerasTensor& x) { return Activate("relu", tensor::Activation::kRelu, x); }
KerasTensor relu6(const KerasTensor& x) { return Bend("relu6", tensor::Pointwise::kRelu6, x); }
KerasTensor leaky_relu(const KerasTensor& x, float slope) {
  return Bend("leaky_relu", tensor::Pointwise::kLeakyRelu, x, slope);
}
KerasTensor sigmoid(const KerasTensor& x) { return Activate("sigmoid", tensor::Activation::kSigmoid, x); }
KerasTensor log_sigmoid(const KerasTensor& x) { return -softplus(-x); }
KerasTensor hard_sigmoid(const KerasTensor& x) { return relu6(x + 3) * (1.0 / 6); }
KerasTensor silu(const KerasTensor& x) { return Activate("silu", tensor::Activation::kSwish, x); }
KerasTensor swish(const KerasTensor& x) { return Activate("swish", tensor::Activation::kSwish, x); }
KerasTensor hard_silu(const KerasTensor& x) { return x * hard_sigmoid(x); }
KerasTensor hard_swish(const KerasTensor& x) { return hard_silu(x); }
KerasTensor tanh(const KerasTensor& x) { return Activate("tanh", tensor::Activation::kTanh, x); }
KerasTensor hard_tanh(const KerasTensor& x) { return clip(x, -1, 1); }
KerasTensor tanh_shrink(const KerasTensor& x) { return x - tanh(x); }
KerasTensor elu(const KerasTensor& x, float alpha) {
  if (alpha == 1) return Activate("elu", tensor::Activation::kElu, x);
  return maximum(x, 0) + alpha * expm1(minimum(x, 0));
}
KerasTensor celu(const KerasTensor& x, float alpha) {
  return maximum(x, 0) + alpha * expm1(minimum(x, 0) * (1 / alpha));
}
KerasTensor selu(const KerasTensor& x) { return Bend("selu", tensor::Pointwise::kSelu, x); }
KerasTensor gelu(const KerasTensor& x, bool approximate) {
  if (!approximate) return Activate("gelu", tensor::Activation::kGelu, x);
  return 0.5 * x * (1 + tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * (square(x) * x))));
}
KerasTensor softplus(const KerasTensor& x) { return Bend("softplus", tensor::Pointwise::kSoftplus, x); }
KerasTensor softsign(const KerasTensor& x) { return Bend("softsign", tensor::Pointwise::kSoftsign, x); }
KerasTensor squareplus(const KerasTensor& x, float b) { return (x + sqrt(square(x) + b)) * 0.5; }

KerasTensor softmax(const KerasTensor& x, int64_t axis) {
  return AlongAxis(x, axis,
                   [](const KerasTensor& last) { return Activate("softmax", tensor::Activation::kSoftmax, last); });
}
KerasTensor log_softmax(const KerasTensor& x, int64_t axis) { return x - logsumexp(x, axis, true); }

KerasTensor binary_crossentropy(const KerasTensor& target, const KerasTensor& output, bool from_logits) {
  return OfTargets("binary_crossentropy", target, output, [=](GraphBuilder& b, int y, int p) {
    return internal::BinaryCrossentropiesOf(b, y, p, from_logits);
  });
}
KerasTensor categorical_crossentropy(const KerasTensor& target, const KerasTensor& output, bool from_logits) {
  return OfTargets("categorical_crossentropy", target, output, [=](GraphBuilder& b, int y, int p) {
    return internal::CategoricalCrossentropyOf(b, y, p, {.from_logits = from_logits});
  });
}
KerasTensor sparse_categorical_crossentropy(const KerasTensor& target, const KerasTensor& output, bool from_logits) {
  return OfTargets("sparse_categorical_crossentropy", target, output, [=](GraphBuilder& b, int y, int p) {
    return internal::SparseCategoricalCrossentropyOf(b, b.Cast(y, DType::kInt64), p, {.from_logits = from_logits});
  });
}

}  // namespace headrace::keras::ops
