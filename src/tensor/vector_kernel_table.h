// VectorKernelTable: the vector kernels of one instruction set as function pointers, bound once at construction of
// VectorKernels. Sources below tensor/isa/ are compiled for each set; tensor/isa/kernels.h describes the functions.
#pragma once

#include "tensor/backend.h"

namespace headrace::tensor {

struct VectorKernelTable {
  void (*moments)(int64_t rows, int64_t c, DType dtype, const void* x, const ChannelMoments& moments, double* scratch);
  void (*sum_rows)(int64_t rows, int64_t c, DType dtype, const void* x, float* out, double* scratch);
  void (*epilogue_forward)(const EpilogueDesc& desc, const EpilogueForwardArgs& args);
  void (*epilogue_backward_sums)(const EpilogueDesc& desc, const EpilogueBackwardArgs& args, double* scratch);
  void (*epilogue_backward)(const EpilogueDesc& desc, const EpilogueBackwardArgs& args, double* scratch);
  void (*activation_forward)(Activation activation, int64_t rows, int64_t c, DType dtype, const void* x, void* y);
  void (*activation_backward)(Activation activation, int64_t rows, int64_t c, DType dtype, const void* x, const void* y,
                              const void* dy, void* dx);
  void (*max_pool_forward)(const Pool2DDesc& desc, const void* x, void* y);
  void (*max_pool_backward)(const Pool2DDesc& desc, const void* x, const void* dy, void* dx);
  void (*global_average_pool_forward)(int64_t n, int64_t hw, int64_t c, DType dtype, const void* x, void* y);
  void (*global_average_pool_backward)(int64_t n, int64_t hw, int64_t c, DType dtype, const void* dy, void* dx);
  void (*add)(int64_t count, DType dtype, const void* a, const void* b, void* out);
  void (*convert)(int64_t count, DType from, const void* in, DType to, void* out);
  void (*crossentropy)(const CrossentropyArgs& args);
  void (*update)(const UpdateArgs& args, double* scratch);
  double (*sum_of_squares)(int64_t count, const float* x, double* scratch);
};

// Doubles that a kernel with `scratch` needs for c channels on `threads` threads.
constexpr int64_t ScratchDoubles(int64_t c, int64_t threads) { return threads * 3 * ((c + 15) / 16 * 16); }

namespace portable {
const VectorKernelTable& VectorKernelsOfIsa();
}
namespace avx2 {
const VectorKernelTable& VectorKernelsOfIsa();
}
namespace avx512 {
const VectorKernelTable& VectorKernelsOfIsa();
}

}  // namespace headrace::tensor
