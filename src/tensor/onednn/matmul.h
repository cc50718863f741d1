// Products of many matrices by oneDNN's sgemm. bfloat16 operands are widened into the workspace: products are float32.
#pragma once

#include "tensor/backend.h"
#include "tensor/vector_kernels.h"

namespace headrace::tensor::onednn {

size_t MatMulWorkspaceBytes(const MatMulDesc& desc);
void MatMul(const MatMulDesc& desc, const void* a, const void* b, void* y, void* workspace,
            const VectorKernels& vectors);

}  // namespace headrace::tensor::onednn
