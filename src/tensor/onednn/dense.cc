#include "tensor/onednn/dense.h"

#include <algorithm>

#include <dnnl.h>

namespace headrace::tensor::onednn {
namespace {

bool Narrow(const DenseDesc& desc) { return desc.dtype != DType::kFloat32; }

// Workspace of a bfloat16 product: [rows, in] and [rows, out] as float32.
float* InSpace(void* workspace) { return static_cast<float*>(workspace); }
float* OutSpace(const DenseDesc& desc, void* workspace) {
  if (workspace == nullptr) return nullptr;  // float32 needs none
  return static_cast<float*>(workspace) + (desc.rows * desc.in + 15) / 16 * 16;
}

}  // namespace

size_t DenseKernels::WorkspaceBytes(const DenseDesc& desc) {
  return Narrow(desc) ? static_cast<size_t>(desc.rows * (desc.in + desc.out) + 16) * sizeof(float) : 0;
}

const float* DenseKernels::Widened(const DenseDesc& desc, const void* values, int64_t count, float* space) const {
  if (!Narrow(desc)) return static_cast<const float*>(values);
  vectors_.Convert(count, desc.dtype, values, DType::kFloat32, space);
  return space;
}

void DenseKernels::Forward(const DenseDesc& desc, const void* x, const float* kernel, const float* bias, void* y,
                           void* workspace) const {
  const float* in = Widened(desc, x, desc.rows * desc.in, InSpace(workspace));
  float* out = Narrow(desc) ? OutSpace(desc, workspace) : static_cast<float*>(y);
  if (bias != nullptr)
    for (int64_t row = 0; row < desc.rows; ++row) std::copy_n(bias, desc.out, out + row * desc.out);
  dnnl_sgemm('N', 'N', desc.rows, desc.out, desc.in, 1.0f, in, desc.in, kernel, desc.out, bias != nullptr ? 1.0f : 0.0f,
             out, desc.out);
  if (Narrow(desc)) vectors_.Convert(desc.rows * desc.out, DType::kFloat32, out, desc.dtype, y);
}

void DenseKernels::BackwardData(const DenseDesc& desc, const void* dy, const float* kernel, void* dx,
                                void* workspace) const {
  const float* gradient = Widened(desc, dy, desc.rows * desc.out, OutSpace(desc, workspace));
  float* out = Narrow(desc) ? InSpace(workspace) : static_cast<float*>(dx);
  dnnl_sgemm('N', 'T', desc.rows, desc.in, desc.out, 1.0f, gradient, desc.out, kernel, desc.out, 0.0f, out, desc.in);
  if (Narrow(desc)) vectors_.Convert(desc.rows * desc.in, DType::kFloat32, out, desc.dtype, dx);
}

void DenseKernels::BackwardWeights(const DenseDesc& desc, const void* x, const void* dy, float* dkernel, float* dbias,
                                   void* workspace) const {
  const float* in = Widened(desc, x, desc.rows * desc.in, InSpace(workspace));
  const float* gradient = Widened(desc, dy, desc.rows * desc.out, OutSpace(desc, workspace));
  dnnl_sgemm('T', 'N', desc.in, desc.out, desc.rows, 1.0f, in, desc.in, gradient, desc.out, 0.0f, dkernel, desc.out);
  if (dbias != nullptr) vectors_.SumRows(desc.rows, desc.out, desc.dtype, dy, dbias);
}

}  // namespace headrace::tensor::onednn
