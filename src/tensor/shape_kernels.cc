// Operations that pick, repeat, resample or gather elements, as plain parallel loops.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "tensor/backend.h"
#include "tensor/plain_loops.h"

namespace headrace::tensor {
namespace {

// Where element `i` of a tensor of shape `out` comes from, when its index along each axis is mapped by from(axis,
// index).
template <typename From>
int64_t SourceOf(int64_t i, const Shape& out, const From& from) {
  int64_t source = 0;
  for (size_t axis = out.rank(); axis-- > 0;) {
    source += from(axis, i % out[axis]);
    i /= out[axis];
  }
  return source;
}

// y[i] = x[source(i)].
template <typename Source>
void Pick(int64_t count, DType dtype, const void* x, void* y, const Source& source) {
  WithType(dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    Ranges(count, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) static_cast<T*>(y)[i] = static_cast<const T*>(x)[source(i)];
    });
  });
}

double Start(Reduction kind) {
  if (kind == Reduction::kMaximum) return -HUGE_VAL;
  return kind == Reduction::kMinimum ? HUGE_VAL : 0;
}

double Accumulate(Reduction kind, double sum, double x) {
  if (kind == Reduction::kMaximum) return std::max(sum, x);
  return kind == Reduction::kMinimum ? std::min(sum, x) : sum + x;
}

// The axes of `desc` that are reduced, or are not, as a shape with each axis' distance.
struct Axes {
  std::vector<int64_t> sizes, steps;
  int64_t count = 1;
  int64_t Place(int64_t i) const {
    int64_t place = 0;
    for (size_t axis = sizes.size(); axis-- > 0;) {
      place += i % sizes[axis] * steps[axis];
      i /= sizes[axis];
    }
    return place;
  }
};
Axes AxesOf(const ReduceDesc& desc, bool reduced) {
  Axes axes;
  const std::vector<int64_t> steps = Steps(desc.in);
  for (size_t axis = 0; axis < desc.in.rank(); ++axis) {
    if (desc.reduced[axis] != reduced) continue;
    axes.sizes.push_back(desc.in[axis]);
    axes.steps.push_back(steps[axis]);
    axes.count *= desc.in[axis];
  }
  return axes;
}

// Where one row (or column) of a resampled image lies between two of the image.
struct Position {
  int64_t low = 0, high = 0;
  float weight = 0;  // of high
};
Position PositionOf(const ResizeDesc& desc, int64_t i, int64_t in, int64_t out) {
  const bool aligned = desc.aligned_corners && out > 1;
  const float scale = aligned ? static_cast<float>(in - 1) / static_cast<float>(out - 1)
                              : static_cast<float>(in) / static_cast<float>(out);
  const auto at = static_cast<float>(i);
  if (desc.resampling == Resampling::kNearest) {
    const float place = desc.half_pixels ? (at + 0.5f) * scale : at * scale;
    const auto nearest = static_cast<int64_t>(aligned ? std::round(place) : std::floor(place));
    return {std::clamp<int64_t>(nearest, 0, in - 1), 0, 0};
  }
  const float place = desc.half_pixels ? (at + 0.5f) * scale - 0.5f : at * scale;
  const float floor = std::floor(place);
  const auto low = std::max<int64_t>(static_cast<int64_t>(floor), 0);
  return {std::min(low, in - 1), std::min<int64_t>(static_cast<int64_t>(std::ceil(place)), in - 1), place - floor};
}

}  // namespace

void Backend::Select(const SelectDesc& desc, const void* condition, const void* a, const void* b, void* y) const {
  const auto steps_c = RepeatingSteps(desc.condition), steps_a = RepeatingSteps(desc.a),
             steps_b = RepeatingSteps(desc.b);
  WithType(desc.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const auto at = [&](const void* from, const std::vector<int64_t>& steps, int64_t i) {
      return static_cast<const T*>(
          from)[SourceOf(i, desc.out, [&](size_t axis, int64_t k) { return k * steps[axis]; })];
    };
    Ranges(desc.out.size(), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        static_cast<T*>(y)[i] = Load(at(condition, steps_c, i)) != 0 ? at(a, steps_a, i) : at(b, steps_b, i);
    });
  });
}

void Backend::Reduce(const ReduceDesc& desc, const void* x, void* y) const {
  const Axes kept = AxesOf(desc, false), reduced = AxesOf(desc, true);
  const bool side_by_side = std::is_sorted(desc.reduced.begin(), desc.reduced.end());  // the last axes are reduced
  std::vector<int64_t> places(side_by_side ? 0 : static_cast<size_t>(reduced.count));
  for (size_t i = 0; i < places.size(); ++i) places[i] = reduced.Place(static_cast<int64_t>(i));
  const double factor =
      desc.kind == Reduction::kMean ? 1.0 / static_cast<double>(std::max<int64_t>(reduced.count, 1)) : 1;
  WithType(desc.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    Ranges(
        kept.count,
        [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) {
            const T* from = static_cast<const T*>(x) + kept.Place(i);
            double sum = Start(desc.kind);
            if (side_by_side)
              for (int64_t k = 0; k < reduced.count; ++k) sum = Accumulate(desc.kind, sum, Load(from[k]));
            for (const int64_t place : places) sum = Accumulate(desc.kind, sum, Load(from[place]));
            static_cast<T*>(y)[i] = Store<T>(static_cast<float>(sum * factor));
          }
        },
        reduced.count);
  });
}

void Backend::ArgMax(int64_t rows, int64_t c, DType dtype, const void* x, void* y) const {
  WithType(dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    Ranges(
        rows,
        [&](int64_t begin, int64_t end) {
          for (int64_t row = begin; row < end; ++row) {
            const T* from = static_cast<const T*>(x) + row * c;
            int64_t best = 0;
            for (int64_t i = 1; i < c; ++i) best = Load(from[i]) > Load(from[best]) ? i : best;
            static_cast<float*>(y)[row] = static_cast<float>(best);
          }
        },
        c);
  });
}

void Backend::Slice(const SliceDesc& desc, const void* x, void* y) const {
  const std::vector<int64_t> steps = Steps(desc.in);
  Pick(desc.out.size(), desc.dtype, x, y, [&](int64_t i) {
    return SourceOf(i, desc.out,
                    [&](size_t axis, int64_t k) { return (desc.begins[axis] + k * desc.steps[axis]) * steps[axis]; });
  });
}

void Backend::Unslice(const SliceDesc& desc, const void* x, void* y) const {
  const std::vector<int64_t> steps = Steps(desc.in);
  std::memset(y, 0, static_cast<size_t>(desc.in.size()) * SizeOf(desc.dtype));  // zero in either type
  WithType(desc.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    Ranges(desc.out.size(), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t place = SourceOf(i, desc.out, [&](size_t axis, int64_t k) {
          return (desc.begins[axis] + k * desc.steps[axis]) * steps[axis];
        });
        static_cast<T*>(y)[place] = static_cast<const T*>(x)[i];
      }
    });
  });
}

void Backend::Tile(const Shape& shape, const std::vector<int64_t>& multiples, DType dtype, const void* x,
                   void* y) const {
  const std::vector<int64_t> steps = Steps(shape);
  Shape out = shape;
  for (size_t axis = 0; axis < out.rank(); ++axis) out[axis] *= multiples[axis];
  Pick(out.size(), dtype, x, y, [&](int64_t i) {
    return SourceOf(i, out, [&](size_t axis, int64_t k) { return k % shape[axis] * steps[axis]; });
  });
}

void Backend::Resize(const ResizeDesc& d, const void* x, void* y) const {
  std::vector<Position> rows, columns;
  for (int64_t i = 0; i < d.out_h; ++i) rows.push_back(PositionOf(d, i, d.h, d.out_h));
  for (int64_t i = 0; i < d.out_w; ++i) columns.push_back(PositionOf(d, i, d.w, d.out_w));
  WithType(d.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    Ranges(
        d.n * d.out_h,
        [&](int64_t begin, int64_t end) {
          for (int64_t row = begin; row < end; ++row) {
            const Position& v = rows[static_cast<size_t>(row % d.out_h)];
            const T* image = static_cast<const T*>(x) + row / d.out_h * d.h * d.w * d.c;
            T* out = static_cast<T*>(y) + row * d.out_w * d.c;
            for (const Position& u : columns) {
              const T *a = image + (v.low * d.w + u.low) * d.c, *b = image + (v.low * d.w + u.high) * d.c;
              const T *e = image + (v.high * d.w + u.low) * d.c, *f = image + (v.high * d.w + u.high) * d.c;
              for (int64_t c = 0; c < d.c; ++c) {
                const float top = Load(a[c]) + (Load(b[c]) - Load(a[c])) * u.weight;
                const float bottom = Load(e[c]) + (Load(f[c]) - Load(e[c])) * u.weight;
                *out++ = d.resampling == Resampling::kNearest ? a[c] : Store<T>(top + (bottom - top) * v.weight);
              }
            }
          }
        },
        d.out_w * d.c);
  });
}

void Backend::Spread(int64_t n, int64_t h, int64_t w, int64_t c, int64_t stride_h, int64_t stride_w, DType dtype,
                     const void* x, void* y) const {
  const int64_t out_h = (h - 1) * stride_h + 1, out_w = (w - 1) * stride_w + 1;
  const size_t element = SizeOf(dtype), pixel = static_cast<size_t>(c) * element;
  Ranges(
      n * out_h,
      [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
          auto* out = static_cast<char*>(y) + static_cast<size_t>(row * out_w) * pixel;
          std::memset(out, 0, static_cast<size_t>(out_w) * pixel);  // zero in either type
          if (row % out_h % stride_h != 0) continue;
          const int64_t from = row / out_h * h + row % out_h / stride_h;
          const auto* in = static_cast<const char*>(x) + static_cast<size_t>(from * w) * pixel;
          for (int64_t i = 0; i < w; ++i)
            std::memcpy(out + static_cast<size_t>(i * stride_w) * pixel, in + static_cast<size_t>(i) * pixel, pixel);
        }
      },
      out_w * c);
}

}  // namespace headrace::tensor
