// epilogue.h: what the forward and backward passes of the epilogue share: how x is walked, how a window is won.
#pragma once

#include "tensor/isa/dropout.h"
#include "tensor/isa/lanes.h"
#include "tensor/isa/prefetch.h"

namespace headrace::tensor::HEADRACE_ISA {

// What is fixed at compile time. kPool is 1, 2, or 0 for a window of any size; T the storage type.
template <typename Element, int kPoolSize, bool kHasBatchNorm, bool kHasRelu, bool kHasDropout>
struct EpilogueTraits {
  using T = Element;
  static constexpr int kPool = kPoolSize;
  static constexpr bool kBatchNorm = kHasBatchNorm;
  static constexpr bool kRelu = kHasRelu;
  static constexpr bool kDropout = kHasDropout;
};

// A run of neighbouring windows: output pixels first .. first + count - 1 of y. Without pooling the whole array is
// one long line of pixels cut in runs of kRunPixels; with pooling a run is one row of y.
struct EpilogueRun {
  int64_t first;  // output pixel (row of [pixels, c])
  int64_t count;
  int64_t input;  // input pixel of the upper left corner of the first window
};

template <typename Traits>
class EpilogueWalk {
 public:
  explicit EpilogueWalk(const EpilogueDesc& desc)
      : pixels_(desc.n * desc.h * desc.w),
        h_(desc.h),
        w_(desc.w),
        out_h_(desc.out_h()),
        out_w_(desc.out_w()),
        pool_h_(desc.pool_h),
        pool_w_(desc.pool_w),
        rows_(desc.n * desc.out_h()) {}

  int64_t runs() const { return Traits::kPool == 1 ? (pixels_ + kRunPixels - 1) / kRunPixels : rows_; }

  EpilogueRun Run(int64_t run) const {
    if constexpr (Traits::kPool == 1) {
      const int64_t first = run * kRunPixels;
      return {first, pixels_ - first < kRunPixels ? pixels_ - first : kRunPixels, first};
    }
    const int64_t image = run / out_h_;
    return {run * out_w_, out_w_, (image * h_ + run % out_h_ * pool_h()) * w_};
  }

  // True for the last row of y of an image: the rows of x below it fill no window.
  bool LastOfImage(int64_t run) const { return run % out_h_ == out_h_ - 1; }
  int64_t rows_left() const { return h_ - out_h_ * pool_h(); }
  int64_t columns_left() const { return w_ - out_w_ * pool_w(); }

  int64_t w() const { return w_; }
  int64_t out_w() const { return out_w_; }
  int64_t pool_h() const { return Traits::kPool == 0 ? pool_h_ : Traits::kPool; }
  int64_t pool_w() const { return Traits::kPool == 0 ? pool_w_ : Traits::kPool; }

 private:
  static constexpr int64_t kRunPixels = 64;
  int64_t pixels_, h_, w_, out_h_, out_w_, pool_h_, pool_w_, rows_;
};

// BatchNormalization of one vector of channels.
template <typename Traits, typename Lanes>
class Normalizer {
 public:
  Normalizer(const float* scale, const float* shift, int64_t channel, Lanes lanes) {
    if constexpr (Traits::kBatchNorm) {
      scale_ = Load(scale + channel, lanes);
      shift_ = Load(shift + channel, lanes);
    }
  }
  F32 operator()(F32 x) const {
    if constexpr (Traits::kBatchNorm) return MulAdd(x, scale_, shift_);
    return x;
  }

 private:
  F32 scale_, shift_;
};

// Calls body(EpilogueTraits<...>) with the traits of a description. Dropout is a matter of the call.
template <typename Body>
static inline void WithEpilogueTraits(const EpilogueDesc& desc, bool dropout, const Body& body) {
  const auto with_pool = [&](auto pool) {
    WithType(desc.dtype, [&](auto element) {
      WithFlag(desc.batch_norm, [&](auto norm) {
        WithFlag(desc.relu, [&](auto relu) {
          WithFlag(dropout, [&](auto drop) {
            body(EpilogueTraits<decltype(element), decltype(pool)::value, decltype(norm)::value, decltype(relu)::value,
                                decltype(drop)::value>{});
          });
        });
      });
    });
  };
  if (desc.pool_h == 1 && desc.pool_w == 1) return with_pool(Constant<1>{});
  if (desc.pool_h == 2 && desc.pool_w == 2) return with_pool(Constant<2>{});
  with_pool(Constant<0>{});
}

}  // namespace headrace::tensor::HEADRACE_ISA
