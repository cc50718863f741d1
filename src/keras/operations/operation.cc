#include "keras/operations/operation.h"

#include <type_traits>

#include "base/result.h"

namespace headrace::keras::internal {
namespace {

// Of operations without an overload by their own type.
template <typename Op>
Kernels KernelsOf(const OperationContext& c, const Op&) {
  throw MakeError(ErrorCode::kInternal, "layer {}: its operation has no kernels of its own", c.value.layer);
}

template <typename Op>
void GradientOf(GradientContext& g, const Op&) {
  if constexpr (std::is_same_v<Op, InputOp> || std::is_same_v<Op, ConstantOp>) return;
  throw MakeError(ErrorCode::kInvalidArgument,
                  "layer {}: its operation has no gradient: layers before it cannot be trained, set_trainable(false)",
                  g.value().layer);
}

template <typename... Ops>
bool Holds(const Operation& op) {
  return (std::holds_alternative<Ops>(op) || ...);
}

}  // namespace

Kernels MakeKernels(const OperationContext& context) {
  return std::visit([&](const auto& op) { return KernelsOf(context, op); }, context.value.op);
}

void Differentiate(GradientContext& context) {
  std::visit([&](const auto& op) { GradientOf(context, op); }, context.value().op);
}

bool HasOwnBackward(const Operation& op) {
  return Holds<Conv2DOp, DenseOp, BatchNormOp, DropoutOp, ActivationOp, MaxPoolOp, GlobalAveragePoolOp, ZeroPadOp,
               CrossentropyOp, VariableOp, LookupOp>(op);
}

bool EndsGradients(const Value& value) {
  if (const auto* op = std::get_if<BinaryOp>(&value.op)) return op->kind >= tensor::Binary::kEqual;
  if (const auto* op = std::get_if<PointwiseOp>(&value.op)) {
    using tensor::Pointwise;
    return op->kind == Pointwise::kTruncate || op->kind == Pointwise::kSign || op->kind == Pointwise::kFloor ||
           op->kind == Pointwise::kCeil || op->kind == Pointwise::kRound;
  }
  return Holds<StopGradientOp, ArgMaxOp>(value.op) || value.dtype == DType::kInt64;
}

bool BackwardReadsOutput(const Operation& op) { return Holds<ActivationOp>(op); }

bool MayOverwrite(const OperationContext& context, size_t i) {
  const Operand& input = context.inputs[i];
  return Holds<AddOp, PointwiseOp, BinaryOp>(context.value.op) && input.dtype == context.output.dtype &&
         input.shape == context.output.shape;
}

}  // namespace headrace::keras::internal
