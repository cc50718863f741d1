// Dense products by oneDNN's sgemm. bfloat16 activations are widened into the workspace: the products are float32.
#pragma once

#include "tensor/backend.h"
#include "tensor/vector_kernels.h"

namespace headrace::tensor::onednn {

class DenseKernels {
 public:
  explicit DenseKernels(const VectorKernels& vectors) : vectors_(vectors) {}

  static size_t WorkspaceBytes(const DenseDesc& desc);
  void Forward(const DenseDesc& desc, const void* x, const float* kernel, const float* bias, void* y,
               void* workspace) const;
  void BackwardData(const DenseDesc& desc, const void* dy, const float* kernel, void* dx, void* workspace) const;
  void BackwardWeights(const DenseDesc& desc, const void* x, const void* dy, float* dkernel, float* dbias,
                       void* workspace) const;

 private:
  const float* Widened(const DenseDesc& desc, const void* values, int64_t count, float* space) const;
  const VectorKernels& vectors_;
};

}  // namespace headrace::tensor::onednn
