// y = x * kernel + bias on [rows, in] and [in, out], and its gradients.
#include "tensor/reference/reference_backend.h"
#include "tensor/reference/storage.h"

namespace headrace::tensor::reference {

size_t ReferenceBackend::DenseWorkspaceBytes(const DenseDesc& /*desc*/) const { return 0; }

void ReferenceBackend::DenseForward(const DenseDesc& desc, const void* x, const float* kernel, const float* bias,
                                    void* y, void* /*workspace*/) const {
  for (int64_t row = 0; row < desc.rows; ++row) {
    for (int64_t out = 0; out < desc.out; ++out) {
      double sum = bias != nullptr ? bias[out] : 0;
      for (int64_t in = 0; in < desc.in; ++in) {
        sum += Read(x, desc.dtype, row * desc.in + in) * Stored(desc.dtype, kernel[in * desc.out + out]);
      }
      Write(y, desc.dtype, row * desc.out + out, sum);
    }
  }
}

void ReferenceBackend::DenseBackwardData(const DenseDesc& desc, const void* dy, const float* kernel, void* dx,
                                         void* /*workspace*/) const {
  for (int64_t row = 0; row < desc.rows; ++row) {
    for (int64_t in = 0; in < desc.in; ++in) {
      double sum = 0;
      for (int64_t out = 0; out < desc.out; ++out) {
        sum += Read(dy, desc.dtype, row * desc.out + out) * Stored(desc.dtype, kernel[in * desc.out + out]);
      }
      Write(dx, desc.dtype, row * desc.in + in, sum);
    }
  }
}

void ReferenceBackend::DenseBackwardWeights(const DenseDesc& desc, const void* x, const void* dy, float* dkernel,
                                            float* dbias, void* /*workspace*/) const {
  for (int64_t in = 0; in < desc.in; ++in) {
    for (int64_t out = 0; out < desc.out; ++out) {
      double sum = 0;
      for (int64_t row = 0; row < desc.rows; ++row) {
        sum += Read(x, desc.dtype, row * desc.in + in) * Read(dy, desc.dtype, row * desc.out + out);
      }
      dkernel[in * desc.out + out] = static_cast<float>(sum);
    }
  }
  if (dbias != nullptr) SumRows(desc.rows, desc.out, desc.dtype, dy, dbias);
}

}  // namespace headrace::tensor::reference
