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
  const KerasTensor center = mean(x, axes, true);
  const KerasTensor variance = mean(square(x - center), axes, keepdims);
  return {keepdims ? center : squeeze(center, Listed(x, axes)), variance};
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

// To each element is added what stands 1 before it, 2, 4, …: after each step it has the sum of twice as many.
KerasTensor cumsum(const KerasTensor& x, int64_t axis) {
  const auto rank = static_cast<int64_t>(x.shape().rank());
  const int64_t place = axis < 0 ? axis + rank : axis;
  if (place < 0 || place >= rank || x.shape()[static_cast<size_t>(place)] < 0)
    throw MakeError(ErrorCode::kInvalidArgument, "cumsum: axis: found {} for a value of shape {}, wanted a known size",
                    axis, x.shape().ToString());
  const int64_t count = x.shape()[static_cast<size_t>(place)];
  KerasTensor sums = x;
  for (int64_t shift = 1; shift < count; shift *= 2) {
    std::vector<std::pair<int64_t, int64_t>> zeros(x.shape().rank());
    zeros[static_cast<size_t>(place)] = {shift, 0};
    sums = sums + pad(get_item(sums, place, 0, count - shift), zeros);
  }
  return sums;
}

}  // namespace headrace::keras::ops
