#include "tensor/onednn/matmul.h"

#include <dnnl.h>

#include "tensor/batches.h"
#include "tensor/parallel.h"

namespace headrace::tensor::onednn {
namespace {

int64_t Elements(const Shape& batch, int64_t rows, int64_t columns) { return batch.size() * rows * columns; }
int64_t Rounded(int64_t count) { return (count + 15) / 16 * 16; }

// A product that is large enough to be shared by the threads; smaller ones are shared out whole.
bool Large(const MatMulDesc& desc) { return desc.m * desc.k * desc.n >= 1 << 18; }

void Multiply(const MatMulDesc& desc, const float* a, const float* b, float* y) {
  const Batches batches(desc);
  const auto one = [&](int64_t i) {
    dnnl_sgemm(desc.transpose_a ? 'T' : 'N', desc.transpose_b ? 'T' : 'N', desc.m, desc.n, desc.k, 1.0f,
               a + batches.a(i), desc.transpose_a ? desc.m : desc.k, b + batches.b(i),
               desc.transpose_b ? desc.k : desc.n, 0.0f, y + i * desc.m * desc.n, desc.n);
  };
  if (batches.count == 1 || Large(desc)) {
    for (int64_t i = 0; i < batches.count; ++i) one(i);
  } else {
    ParallelRanges(batches.count, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) one(i);
    });
  }
}

}  // namespace

size_t MatMulWorkspaceBytes(const MatMulDesc& desc) {
  if (desc.dtype == DType::kFloat32) return 0;
  return static_cast<size_t>(Rounded(Elements(desc.batch_a, desc.m, desc.k)) +
                             Rounded(Elements(desc.batch_b, desc.k, desc.n)) + Elements(desc.batch, desc.m, desc.n)) *
         sizeof(float);
}

void MatMul(const MatMulDesc& desc, const void* a, const void* b, void* y, void* workspace,
            const VectorKernels& vectors) {
  if (desc.m * desc.n * desc.batch.size() == 0) return;
  if (desc.dtype == DType::kFloat32)
    return Multiply(desc, static_cast<const float*>(a), static_cast<const float*>(b), static_cast<float*>(y));
  const int64_t count_a = Elements(desc.batch_a, desc.m, desc.k), count_b = Elements(desc.batch_b, desc.k, desc.n);
  auto* wide_a = static_cast<float*>(workspace);
  float *wide_b = wide_a + Rounded(count_a), *wide_y = wide_b + Rounded(count_b);
  vectors.Convert(count_a, desc.dtype, a, DType::kFloat32, wide_a);
  vectors.Convert(count_b, desc.dtype, b, DType::kFloat32, wide_b);
  Multiply(desc, wide_a, wide_b, wide_y);
  vectors.Convert(Elements(desc.batch, desc.m, desc.n), DType::kFloat32, wide_y, desc.dtype, y);
}

}  // namespace headrace::tensor::onednn
