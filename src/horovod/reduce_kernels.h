// ReduceKernels: several arrays reduced to one, element by element, by the best instructions of this processor.
#pragma once

#include <cstdint>

#include "headrace/horovod.h"

#include "tensor/cpu.h"

namespace headrace::hvd {

// out[i] = scale * (in[0][i] op in[1][i] op ... ), in this order whatever the processor, so that all ranks get the same
// bits. float16 and bfloat16 are summed in float32 and rounded once. Integers are scaled in double and cut off. `scale`
// is left out when it is 1. Several outputs get the same values; an output may be one of the inputs.
struct Reduction {
  DataType dtype = DataType::kFloat32;
  ReduceOp op = ReduceOp::kSum;  // kSum, kMin, kMax or kProduct; of bool: or, and, or, and
  double scale = 1;
  int64_t count = 0;
  const void* const* in = nullptr;
  int inputs = 0;  // >= 1
  void* const* out = nullptr;
  int outputs = 0;
};

struct ReduceKernelTable {
  void (*reduce)(const Reduction& reduction);
  // out[i] = in[i], rounded to nearest even. Between float32 and float16 or bfloat16.
  void (*compress)(int64_t count, const float* in, DataType to, uint16_t* out);
  void (*expand)(int64_t count, DataType from, const uint16_t* in, float* out);
  // dot[0] = a.b, dot[1] = a.a, dot[2] = b.b of float values, in double.
  void (*dots)(int64_t count, const float* a, const float* b, double* dot);
  void (*dots64)(int64_t count, const double* a, const double* b, double* dot);
};

// Of `isa`, which must run on this processor.
const ReduceKernelTable& ReduceKernelsOf(tensor::Isa isa);
// Of tensor::DetectIsa(), asked once.
const ReduceKernelTable& ReduceKernels();
// Multiplies `count` values in place; a factor of 1 touches nothing.
void Scale(std::byte* data, int64_t count, DataType dtype, double factor);

namespace portable {
const ReduceKernelTable& ReduceKernelsOfIsa();
}
namespace avx2 {
const ReduceKernelTable& ReduceKernelsOfIsa();
}
namespace avx512 {
const ReduceKernelTable& ReduceKernelsOfIsa();
}

}  // namespace headrace::hvd
