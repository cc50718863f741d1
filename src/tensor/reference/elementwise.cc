// Addition, zero borders, conversion between storage types, sums over rows.
#include "tensor/reference/reference_backend.h"
#include "tensor/reference/storage.h"

namespace headrace::tensor::reference {

void ReferenceBackend::Add(int64_t count, DType dtype, const void* a, const void* b, void* out) const {
  for (int64_t i = 0; i < count; ++i) Write(out, dtype, i, Read(a, dtype, i) + Read(b, dtype, i));
}

void ReferenceBackend::PadForward(int64_t n, int64_t h, int64_t w, int64_t c, int64_t top, int64_t bottom, int64_t left,
                                  int64_t right, DType dtype, const void* x, void* y) const {
  int64_t out = 0;
  for (int64_t image = 0; image < n; ++image) {
    for (int64_t row = -top; row < h + bottom; ++row) {
      for (int64_t column = -left; column < w + right; ++column) {
        const bool inside = row >= 0 && row < h && column >= 0 && column < w;
        const int64_t in = ((image * h + row) * w + column) * c;
        for (int64_t channel = 0; channel < c; ++channel, ++out) {
          Write(y, dtype, out, inside ? Read(x, dtype, in + channel) : 0);
        }
      }
    }
  }
}

void ReferenceBackend::PadBackward(int64_t n, int64_t h, int64_t w, int64_t c, int64_t top, int64_t bottom,
                                   int64_t left, int64_t right, DType dtype, const void* dy, void* dx) const {
  int64_t in = 0;
  for (int64_t image = 0; image < n; ++image) {
    for (int64_t row = 0; row < h; ++row) {
      for (int64_t column = 0; column < w; ++column) {
        const int64_t out = ((image * (h + top + bottom) + row + top) * (w + left + right) + column + left) * c;
        for (int64_t channel = 0; channel < c; ++channel, ++in) Write(dx, dtype, in, Read(dy, dtype, out + channel));
      }
    }
  }
}

void ReferenceBackend::Convert(int64_t count, DType from, const void* in, DType to, void* out) const {
  for (int64_t i = 0; i < count; ++i) Write(out, to, i, Read(in, from, i));
}

void ReferenceBackend::SumRows(int64_t rows, int64_t c, DType dtype, const void* x, float* out) const {
  for (int64_t channel = 0; channel < c; ++channel) {
    double sum = 0;
    for (int64_t row = 0; row < rows; ++row) sum += Read(x, dtype, row * c + channel);
    out[channel] = static_cast<float>(sum);
  }
}

}  // namespace headrace::tensor::reference
