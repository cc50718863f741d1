// MaxPooling2D and GlobalAveragePooling2D, with their gradients.
#include "tensor/reference/reference_backend.h"
#include "tensor/reference/storage.h"

namespace headrace::tensor::reference {
namespace {

// Index into x of the first maximum of a window, -1 when the window lies in the padding alone.
int64_t WindowMaximum(const Pool2DDesc& desc, const void* x, int64_t n, int64_t oh, int64_t ow, int64_t c) {
  int64_t best = -1;
  for (int64_t kh = 0; kh < desc.pool_h; ++kh) {
    const int64_t h = oh * desc.stride_h + kh - desc.pad_top;
    if (h < 0 || h >= desc.h) continue;
    for (int64_t kw = 0; kw < desc.pool_w; ++kw) {
      const int64_t w = ow * desc.stride_w + kw - desc.pad_left;
      if (w < 0 || w >= desc.w) continue;
      const int64_t index = ((n * desc.h + h) * desc.w + w) * desc.c + c;
      if (best < 0 || Read(x, desc.dtype, index) > Read(x, desc.dtype, best)) best = index;
    }
  }
  return best;
}

// Calls body(output index, input index of the winner) for every output.
template <typename Body>
void ForEachWindow(const Pool2DDesc& desc, const void* x, const Body& body) {
  int64_t out = 0;
  for (int64_t n = 0; n < desc.n; ++n) {
    for (int64_t oh = 0; oh < desc.out_h(); ++oh) {
      for (int64_t ow = 0; ow < desc.out_w(); ++ow) {
        for (int64_t c = 0; c < desc.c; ++c, ++out) body(out, WindowMaximum(desc, x, n, oh, ow, c));
      }
    }
  }
}

}  // namespace

void ReferenceBackend::MaxPoolForward(const Pool2DDesc& desc, const void* x, void* y) const {
  ForEachWindow(desc, x, [&](int64_t out, int64_t winner) {
    Write(y, desc.dtype, out, winner < 0 ? 0 : Read(x, desc.dtype, winner));
  });
}

void ReferenceBackend::MaxPoolBackward(const Pool2DDesc& desc, const void* x, const void* dy, void* dx) const {
  std::vector<double> sums(desc.n * desc.h * desc.w * desc.c, 0.0);
  ForEachWindow(desc, x, [&](int64_t out, int64_t winner) {
    if (winner >= 0) sums[winner] += Read(dy, desc.dtype, out);
  });
  for (size_t i = 0; i < sums.size(); ++i) Write(dx, desc.dtype, i, sums[i]);
}

void ReferenceBackend::GlobalAveragePoolForward(int64_t n, int64_t hw, int64_t c, DType dtype, const void* x,
                                                void* y) const {
  for (int64_t image = 0; image < n; ++image) {
    for (int64_t channel = 0; channel < c; ++channel) {
      double sum = 0;
      for (int64_t pixel = 0; pixel < hw; ++pixel) sum += Read(x, dtype, (image * hw + pixel) * c + channel);
      Write(y, dtype, image * c + channel, sum / static_cast<double>(hw));
    }
  }
}

void ReferenceBackend::GlobalAveragePoolBackward(int64_t n, int64_t hw, int64_t c, DType dtype, const void* dy,
                                                 void* dx) const {
  for (int64_t image = 0; image < n; ++image) {
    for (int64_t pixel = 0; pixel < hw; ++pixel) {
      for (int64_t channel = 0; channel < c; ++channel) {
        const double slope = Read(dy, dtype, image * c + channel) / static_cast<double>(hw);
        Write(dx, dtype, (image * hw + pixel) * c + channel, slope);
      }
    }
  }
}

}  // namespace headrace::tensor::reference
