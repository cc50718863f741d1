#include "horovod/reduce_kernels.h"

namespace headrace::hvd {

const ReduceKernelTable& ReduceKernelsOf(tensor::Isa isa) {
  switch (isa) {
#ifdef HEADRACE_HAS_avx512
    case tensor::Isa::kAvx512:
      return avx512::ReduceKernelsOfIsa();
#endif
#ifdef HEADRACE_HAS_avx2
    case tensor::Isa::kAvx2:
      return avx2::ReduceKernelsOfIsa();
#endif
    default:
      break;
  }
  return portable::ReduceKernelsOfIsa();
}

const ReduceKernelTable& ReduceKernels() {
  static const ReduceKernelTable& table = ReduceKernelsOf(tensor::DetectIsa());
  return table;
}

void Scale(std::byte* data, int64_t count, DataType dtype, double factor) {
  if (factor == 1) return;
  const void* in[] = {data};
  void* out[] = {data};
  ReduceKernels().reduce({dtype, ReduceOp::kSum, factor, count, in, 1, out, 1});
}

}  // namespace headrace::hvd
