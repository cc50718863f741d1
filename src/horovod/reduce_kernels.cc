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

}  // namespace headrace::hvd
