// headrace/ops.h: many numbers made one.
#include "headrace/ops.h"

#include "base/result.h"
#include "keras/symbolic/operation_layer.h"

namespace headrace::keras::ops {
namespace {

using tensor::Reduction;

std::vector<int64_t> Listed(const KerasTensor& x, const Axes& axes) {
  if (!axes.all()) return axes.axes();
  std::vector<int64_t> all;
  for (size_t axis = 0; axis < x.shape().rank(); ++axis) all.push_back(static_cast<int64_t>(axis));
  return all;
}

KerasTensor Reduced(const char* name, Reduction kind, const KerasTensor& x, const Axes& axes, bool keepdims) {
  return internal::Apply(name, {x}, [=, listed = Listed(x, axes)](GraphBuilder& build, const std::vector<int>& in) {
    return build.Reduce(kind, in[0], listed, keepdims);
  });
}

}  // namespace

KerasTensor sum(const KerasTensor& x, const Axes& axis, bool keepdims) {
  return Reduced("sum", Reduction::kSum, x, axis, keepdims);
}
KerasTensor mean(const KerasTensor& x, const Axes& axis, bool keepdims) {
  return Reduced("mean", Reduction::kMean, x, axis, keepdims);
}
KerasTensor max(const KerasTensor& x, const Axes& axis, bool keepdims) {
  return Reduced("max", Reduction::kMaximum, x, axis, keepdims);
}
KerasTensor min(const KerasTensor& x, const Axes& axis, bool keepdims) {
  return Reduced("min", Reduction::kMinimum, x, axis, keepdims);
}
KerasTensor amax(const KerasTensor& x, const Axes& axis, bool keepdims) { return max(x, axis, keepdims); }
KerasTensor amin(const KerasTensor& x, const Axes& axis, bool keepdims) { return min(x, axis, keepdims); }

KerasTensor var(const KerasTensor& x, const Axes& axis, bool keepdims) {
  return mean(square(x - mean(x, axis, true)), axis, keepdims);
}
KerasTensor std(const KerasTensor& x, const Axes& axis, bool keepdims) { return sqrt(var(x, axis, keepdims)); }
std::pair<KerasTensor, KerasTensor> moments(const KerasTensor& x, const Axes& axes, bool keepdims) {
  return {mean(x, axes, keepdims), var(x, axes, keepdims)};
}

KerasTensor any(const KerasTensor& x, const Axes& axis, bool keepdims) { return max(not_equal(x, 0), axis, keepdims); }
KerasTensor all(const KerasTensor& x, const Axes& axis, bool keepdims) { return min(not_equal(x, 0), axis, keepdims); }
KerasTensor count_nonzero(const KerasTensor& x, const Axes& axis) {
  return sum(cast(not_equal(x, 0), "float32"), axis);  // bfloat16 does not count beyond 256
}

// The largest element is taken out first: exp() of the others cannot overflow.
KerasTensor logsumexp(const KerasTensor& x, const Axes& axis, bool keepdims) {
  const KerasTensor top = stop_gradient(max(x, axis, true));
  const KerasTensor result = log(sum(exp(x - top), axis, true)) + top;
  return keepdims ? result : squeeze(result, Listed(x, axis));
}

KerasTensor norm(const KerasTensor& x, const Axes& axis, bool keepdims) { return sqrt(sum(square(x), axis, keepdims)); }
KerasTensor normalize(const KerasTensor& x, int64_t axis) {
  return x * rsqrt(maximum(sum(square(x), axis, true), 1e-14f));
}

KerasTensor argmax(const KerasTensor& x, int64_t axis, bool keepdims) {
  const KerasTensor found =
      internal::Apply("argmax", {moveaxis(x, axis, -1)},
                      [](GraphBuilder& build, const std::vector<int>& in) { return build.ArgMax(in[0]); });
  return keepdims ? expand_dims(found, axis) : found;
}
KerasTensor argmin(const KerasTensor& x, int64_t axis, bool keepdims) { return argmax(-x, axis, keepdims); }

// A product with ones at and below the diagonal.
KerasTensor cumsum(const KerasTensor& x, int64_t axis) {
  const KerasTensor last = moveaxis(x, axis, -1);
  const int64_t count = last.shape().dims().back();
  if (count < 0)
    throw MakeError(ErrorCode::kInvalidArgument, "cumsum: axis: found {}, the batch, wanted another one", axis);
  return moveaxis(matmul(last, transpose(tri(count, count))), -1, axis);
}

}  // namespace headrace::keras::ops
