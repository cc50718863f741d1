// Operations that any graph may have, as plain parallel loops over float32 or bfloat16; back ends override what is
// worth it.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/result.h"
#include "tensor/backend.h"
#include "tensor/parallel.h"
#include "tensor/plain_loops.h"

namespace headrace::tensor {
namespace {

float Evaluate(Pointwise kind, float alpha, float x) {
  switch (kind) {
    case Pointwise::kRelu6:
      return std::min(std::max(x, 0.0f), 6.0f);
    case Pointwise::kLeakyRelu:
      return x < 0 ? alpha * x : x;
    case Pointwise::kSelu:
      return 1.05070098f * (x < 0 ? 1.67326324f * std::expm1(x) : x);
    case Pointwise::kSoftplus:
      return std::max(x, 0.0f) + std::log1p(std::exp(-std::abs(x)));
    case Pointwise::kSoftsign:
      return x / (1 + std::abs(x));
    case Pointwise::kExp:
      return std::exp(x);
    case Pointwise::kLog:
      return std::log(x);
    case Pointwise::kSquare:
      return x * x;
    case Pointwise::kSqrt:
      return std::sqrt(x);
    case Pointwise::kRsqrt:
      return 1 / std::sqrt(x);
    case Pointwise::kNeg:
      return -x;
    case Pointwise::kAbs:
      return std::abs(x);
    case Pointwise::kErf:
      return std::erf(x);
    case Pointwise::kExpm1:
      return std::expm1(x);
    case Pointwise::kLog1p:
      return std::log1p(x);
    case Pointwise::kReciprocal:
      return 1 / x;
    case Pointwise::kTruncate:
      return std::trunc(x);
    case Pointwise::kSign:
      return x > 0 ? 1.0f : x < 0 ? -1.0f : x;  // not-a-number stays
    case Pointwise::kSin:
      return std::sin(x);
    case Pointwise::kCos:
      return std::cos(x);
    case Pointwise::kFloor:
      return std::floor(x);
    case Pointwise::kCeil:
      return std::ceil(x);
    case Pointwise::kRound:
      return std::nearbyint(x);
  }
  return x;
}

float Evaluate(Binary kind, float a, float b) {
  switch (kind) {
    case Binary::kAdd:
      return a + b;
    case Binary::kSub:
      return a - b;
    case Binary::kMul:
      return a * b;
    case Binary::kDiv:
      return a / b;
    case Binary::kMaximum:
      return std::max(a, b);
    case Binary::kMinimum:
      return std::min(a, b);
    case Binary::kSquaredDifference:
      return (a - b) * (a - b);
    case Binary::kPower:
      return std::pow(a, b);
    case Binary::kEqual:
      return a == b ? 1.0f : 0.0f;
    case Binary::kLess:
      return a < b ? 1.0f : 0.0f;
    case Binary::kLessEqual:
      return a <= b ? 1.0f : 0.0f;
    case Binary::kGreater:
      return a > b ? 1.0f : 0.0f;
    case Binary::kGreaterEqual:
      return a >= b ? 1.0f : 0.0f;
  }
  return a;
}

class PlainFixedConv final : public FixedConv {
 public:
  PlainFixedConv(const FixedConvDesc& desc, const float* kernel, const float* bias) : desc_(desc) {
    const Conv2DDesc& d = desc.conv;
    kernel_.assign(kernel, kernel + d.kh * d.kw * (d.c / desc.groups) * d.f);
    bias_.assign(static_cast<size_t>(d.f), 0.0f);
    if (bias != nullptr) std::copy_n(bias, d.f, bias_.begin());
  }
  size_t workspace_bytes() const override { return 0; }

  void Run(const void* x, void* y, void*) const override {
    const Conv2DDesc& d = desc_.conv;
    WithType(d.dtype, [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      ParallelRanges(d.n * d.out_h(), [&](int64_t begin, int64_t end, int) {
        for (int64_t row = begin; row < end; ++row)
          RunRow(static_cast<const T*>(x), static_cast<T*>(y), row / d.out_h(), row % d.out_h());
      });
    });
  }

 private:
  template <typename T>
  void RunRow(const T* x, T* y, int64_t n, int64_t oh) const {
    const Conv2DDesc& d = desc_.conv;
    T* out = y + (n * d.out_h() + oh) * d.out_w() * d.f;
    for (int64_t ow = 0; ow < d.out_w(); ++ow)
      for (int64_t f = 0; f < d.f; ++f) *out++ = Store<T>(Activate(Sum(x, n, oh, ow, f)));
  }

  template <typename T>
  double Sum(const T* x, int64_t n, int64_t oh, int64_t ow, int64_t f) const {
    const Conv2DDesc& d = desc_.conv;
    const int64_t width = d.c / desc_.groups, first = f / (d.f / desc_.groups) * width;
    double sum = bias_[static_cast<size_t>(f)];
    for (int64_t kh = 0; kh < d.kh; ++kh) {
      for (int64_t kw = 0; kw < d.kw; ++kw) {
        const int64_t h = oh * d.stride_h + kh * d.dilation_h - d.pad_top;
        const int64_t w = ow * d.stride_w + kw * d.dilation_w - d.pad_left;
        if (h < 0 || h >= d.h || w < 0 || w >= d.w) continue;
        const T* in = x + ((n * d.h + h) * d.w + w) * d.c + first;
        const float* k = kernel_.data() + (kh * d.kw + kw) * width * d.f + f;
        for (int64_t c = 0; c < width; ++c) sum += static_cast<double>(Load(in[c])) * k[c * d.f];
      }
    }
    return sum;
  }

  float Activate(double sum) const {
    if (desc_.activation == PostActivation::kNone) return static_cast<float>(sum);
    const double top = desc_.activation == PostActivation::kRelu6 ? 6.0 : HUGE_VAL;
    return static_cast<float>(std::min(std::max(sum, 0.0), top));
  }

  FixedConvDesc desc_;
  std::vector<float> kernel_, bias_;
};

}  // namespace

std::shared_ptr<const void> PackedWeights::FindOrMake(const void* source, const std::string& format, const Make& make) {
  const std::lock_guard lock(mutex_);
  auto& packed = packed_[{source, format}];
  if (!packed) packed = make();
  return packed;
}

std::unique_ptr<FixedConv> Backend::MakeFixedConv(const FixedConvDesc& desc, const float* kernel, const float* bias,
                                                  PackedWeights&) const {
  return std::make_unique<PlainFixedConv>(desc, kernel, bias);
}

void Backend::AveragePool(const Pool2DDesc& d, const void* x, void* y) const {
  WithType(d.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    ParallelRanges(d.n * d.out_h(), [&](int64_t begin, int64_t end, int) {
      std::vector<float> sums(static_cast<size_t>(d.c));
      for (int64_t row = begin; row < end; ++row) {
        const int64_t n = row / d.out_h(), top = row % d.out_h() * d.stride_h - d.pad_top;
        const int64_t h0 = std::max<int64_t>(top, 0), h1 = std::min(top + d.pool_h, d.h);
        for (int64_t ow = 0; ow < d.out_w(); ++ow) {
          const int64_t left = ow * d.stride_w - d.pad_left;
          const int64_t w0 = std::max<int64_t>(left, 0), w1 = std::min(left + d.pool_w, d.w);
          std::fill(sums.begin(), sums.end(), 0.0f);
          for (int64_t h = h0; h < h1; ++h)
            for (int64_t w = w0; w < w1; ++w) {
              const T* in = static_cast<const T*>(x) + ((n * d.h + h) * d.w + w) * d.c;
              for (int64_t c = 0; c < d.c; ++c) sums[static_cast<size_t>(c)] += Load(in[c]);
            }
          const float factor = 1.0f / static_cast<float>(std::max<int64_t>((h1 - h0) * (w1 - w0), 1));
          T* out = static_cast<T*>(y) + (row * d.out_w() + ow) * d.c;
          for (int64_t c = 0; c < d.c; ++c) out[c] = Store<T>(sums[static_cast<size_t>(c)] * factor);
        }
      }
    });
  });
}

void Backend::ApplyPointwise(Pointwise kind, float alpha, int64_t count, DType dtype, const void* x, void* y) const {
  WithType(dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    Ranges(count, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        static_cast<T*>(y)[i] = Store<T>(Evaluate(kind, alpha, Load(static_cast<const T*>(x)[i])));
    });
  });
}

void Backend::ApplyBinary(const BinaryDesc& desc, const void* a, const void* b, void* y) const {
  const size_t rank = desc.out.rank();
  const std::vector<int64_t> steps_a = RepeatingSteps(desc.a), steps_b = RepeatingSteps(desc.b);
  const int64_t width = rank == 0 ? 1 : desc.out[rank - 1], rows = desc.out.size() / std::max<int64_t>(width, 1);
  const int64_t step_a = rank == 0 ? 0 : steps_a[rank - 1], step_b = rank == 0 ? 0 : steps_b[rank - 1];
  WithType(desc.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const auto run = [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        int64_t rest = row, at_a = 0, at_b = 0;
        for (size_t axis = rank < 1 ? 0 : rank - 1; axis-- > 0;) {
          const int64_t i = rest % desc.out[axis];
          rest /= desc.out[axis];
          at_a += i * steps_a[axis];
          at_b += i * steps_b[axis];
        }
        const T *in_a = static_cast<const T*>(a) + at_a, *in_b = static_cast<const T*>(b) + at_b;
        T* out = static_cast<T*>(y) + row * width;
        for (int64_t i = 0; i < width; ++i)
          out[i] = Store<T>(Evaluate(desc.kind, Load(in_a[i * step_a]), Load(in_b[i * step_b])));
      }
    };
    if (desc.out.size() < kGrain) {
      run(0, rows);
    } else {
      ParallelRanges(rows, [&](int64_t begin, int64_t end, int) { run(begin, end); });
    }
  });
}

void Backend::Concat(int64_t rows, const std::vector<int64_t>& widths, DType dtype, const std::vector<void*>& parts,
                     void* y) const {
  int64_t width = 0;
  for (const int64_t w : widths) width += w;
  const size_t element = SizeOf(dtype);
  ParallelRanges(rows, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      auto* out = static_cast<char*>(y) + static_cast<size_t>(row * width) * element;
      for (size_t i = 0; i < parts.size(); ++i) {
        const size_t bytes = static_cast<size_t>(widths[i]) * element;
        std::memcpy(out, static_cast<const char*>(parts[i]) + static_cast<size_t>(row) * bytes, bytes);
        out += bytes;
      }
    }
  });
}

void Backend::Transpose(const Shape& shape, const std::vector<int64_t>& axes, DType dtype, const void* x,
                        void* y) const {
  std::vector<int64_t> steps(shape.rank(), 1), from(shape.rank()), size(shape.rank());
  for (size_t axis = shape.rank(); axis-- > 1;) steps[axis - 1] = steps[axis] * shape[axis];
  for (size_t i = 0; i < axes.size(); ++i) {
    from[i] = steps[static_cast<size_t>(axes[i])];
    size[i] = shape[static_cast<size_t>(axes[i])];
  }
  WithType(dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    Ranges(shape.size(), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        int64_t rest = i, at = 0;
        for (size_t axis = size.size(); axis-- > 0;) {
          at += rest % size[axis] * from[axis];
          rest /= size[axis];
        }
        static_cast<T*>(y)[i] = static_cast<const T*>(x)[at];
      }
    });
  });
}

}  // namespace headrace::tensor
