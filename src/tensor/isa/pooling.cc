// MaxPooling2D of any window, stride and padding, and GlobalAveragePooling2D.
#include "tensor/isa/kernels.h"
#include "tensor/isa/lanes.h"
#include "tensor/parallel.h"

namespace headrace::tensor::HEADRACE_ISA {
namespace {

// The part of a window that lies inside x: rows [top, bottom), columns [left, right) of an image.
struct Window {
  int64_t top, bottom, left, right;
  bool empty() const { return top >= bottom || left >= right; }
};

int64_t Larger(int64_t a, int64_t b) { return a > b ? a : b; }
int64_t Smaller(int64_t a, int64_t b) { return a < b ? a : b; }

Window WindowOf(const Pool2DDesc& desc, int64_t oh, int64_t ow) {
  const int64_t top = oh * desc.stride_h - desc.pad_top;
  const int64_t left = ow * desc.stride_w - desc.pad_left;
  return {Larger(top, 0), Smaller(top + desc.pool_h, desc.h), Larger(left, 0), Smaller(left + desc.pool_w, desc.w)};
}

// Maximum of a window and where it lies first: row * w + column. `x` is channel 0 of the vector in the image.
struct Maximum {
  F32 value;
  I32 pixel;
};
template <typename T, typename Lanes>
Maximum MaximumOf(const Pool2DDesc& desc, const Window& window, const T* x, Lanes lanes) {
  const int64_t first = window.top * desc.w + window.left;
  Maximum best{Load(x + first * desc.c, lanes), I32{} + static_cast<int32_t>(first)};
  for (int64_t h = window.top; h < window.bottom; ++h) {
    for (int64_t w = window.left; w < window.right; ++w) {
      const int64_t pixel = h * desc.w + w;
      const F32 value = Load(x + pixel * desc.c, lanes);
      const I32 wins = value > best.value;
      best.value = wins ? value : best.value;
      best.pixel = wins ? I32{} + static_cast<int32_t>(pixel) : best.pixel;
    }
  }
  return best;
}

template <typename T>
void ForwardRow(const Pool2DDesc& desc, int64_t oh, const T* image, T* y) {
  for (int64_t ow = 0; ow < desc.out_w(); ++ow, y += desc.c) {
    const Window window = WindowOf(desc, oh, ow);
    ForEachVector(desc.c, [&](int64_t channel, auto lanes) {
      Store(y + channel, window.empty() ? F32{} : MaximumOf(desc, window, image + channel, lanes).value, lanes);
    });
  }
}

// Windows [first, last) along one axis that cover `position`.
struct Cover {
  int64_t first, last;
};
Cover CoverOf(int64_t position, int64_t pool, int64_t stride, int64_t pad, int64_t windows) {
  const int64_t padded = position + pad;
  const int64_t first = padded < pool ? 0 : (padded - pool) / stride + 1;
  return {first, Smaller(padded / stride + 1, windows)};
}

// dx of one input row, gathered: each pixel asks the windows over it whether it is their first maximum. Windows are
// searched again for each of their pixels, but no two threads write the same place and sums stay in float32.
template <typename T>
void BackwardRow(const Pool2DDesc& desc, int64_t h, const T* image, const T* dy, T* dx) {
  const Cover rows = CoverOf(h, desc.pool_h, desc.stride_h, desc.pad_top, desc.out_h());
  for (int64_t w = 0; w < desc.w; ++w, dx += desc.c) {
    const Cover columns = CoverOf(w, desc.pool_w, desc.stride_w, desc.pad_left, desc.out_w());
    const auto pixel = static_cast<int32_t>(h * desc.w + w);
    ForEachVector(desc.c, [&](int64_t channel, auto lanes) {
      F32 sum{};
      for (int64_t oh = rows.first; oh < rows.last; ++oh) {
        for (int64_t ow = columns.first; ow < columns.last; ++ow) {
          const Maximum best = MaximumOf(desc, WindowOf(desc, oh, ow), image + channel, lanes);
          sum += Where(best.pixel == pixel, Load(dy + (oh * desc.out_w() + ow) * desc.c + channel, lanes));
        }
      }
      Store(dx + channel, sum, lanes);
    });
  }
}

// Sum of pixels of one vector of channels, in short runs so that float32 keeps its precision.
template <typename T, typename Lanes>
F32 SumOfPixels(int64_t hw, int64_t c, const T* x, Lanes lanes) {
  constexpr int64_t kRun = 32;
  F32 total{};
  for (int64_t begin = 0; begin < hw; begin += kRun) {
    F32 sum{};
    for (int64_t pixel = begin; pixel < Smaller(begin + kRun, hw); ++pixel) sum += Load(x + pixel * c, lanes);
    total += sum;
  }
  return total;
}

}  // namespace

void MaxPoolForward(const Pool2DDesc& desc, const void* x, void* y) {
  WithType(desc.dtype, [&](auto element) {
    using T = decltype(element);
    ParallelRanges(desc.n * desc.out_h(), [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; ++row) {
        const T* image = static_cast<const T*>(x) + row / desc.out_h() * desc.h * desc.w * desc.c;
        ForwardRow(desc, row % desc.out_h(), image, static_cast<T*>(y) + row * desc.out_w() * desc.c);
      }
    });
  });
}

void MaxPoolBackward(const Pool2DDesc& desc, const void* x, const void* dy, void* dx) {
  WithType(desc.dtype, [&](auto element) {
    using T = decltype(element);
    ParallelRanges(desc.n * desc.h, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t n = row / desc.h;
        const T* image = static_cast<const T*>(x) + n * desc.h * desc.w * desc.c;
        const T* gradient = static_cast<const T*>(dy) + n * desc.out_h() * desc.out_w() * desc.c;
        BackwardRow(desc, row % desc.h, image, gradient, static_cast<T*>(dx) + row * desc.w * desc.c);
      }
    });
  });
}

void GlobalAveragePoolForward(int64_t n, int64_t hw, int64_t c, DType dtype, const void* x, void* y) {
  const float scale = 1.0f / static_cast<float>(hw);
  WithType(dtype, [&](auto element) {
    using T = decltype(element);
    ParallelRanges(n, [&](int64_t begin, int64_t end, int) {
      for (int64_t image = begin; image < end; ++image) {
        const T* pixels = static_cast<const T*>(x) + image * hw * c;
        T* mean = static_cast<T*>(y) + image * c;
        ForEachVector(c, [&](int64_t channel, auto lanes) {
          Store(mean + channel, SumOfPixels(hw, c, pixels + channel, lanes) * scale, lanes);
        });
      }
    });
  });
}

void GlobalAveragePoolBackward(int64_t n, int64_t hw, int64_t c, DType dtype, const void* dy, void* dx) {
  const float scale = 1.0f / static_cast<float>(hw);
  WithType(dtype, [&](auto element) {
    using T = decltype(element);
    ParallelRanges(n * hw, [&](int64_t begin, int64_t end, int) {
      for (int64_t pixel = begin; pixel < end; ++pixel) {
        const T* slope = static_cast<const T*>(dy) + pixel / hw * c;
        T* out = static_cast<T*>(dx) + pixel * c;
        ForEachVector(
            c, [&](int64_t channel, auto lanes) { Store(out + channel, Load(slope + channel, lanes) * scale, lanes); });
      }
    });
  });
}

}  // namespace headrace::tensor::HEADRACE_ISA
