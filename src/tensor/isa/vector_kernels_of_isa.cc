// The dispatch table of this instruction set.
#include "tensor/isa/kernels.h"
#include "tensor/vector_kernel_table.h"

namespace headrace::tensor::HEADRACE_ISA {

const VectorKernelTable& VectorKernelsOfIsa() {
  static constexpr VectorKernelTable kTable = {
      .moments = Moments,
      .sum_rows = SumRows,
      .epilogue_forward = EpilogueForward,
      .epilogue_backward_sums = EpilogueBackwardSums,
      .epilogue_backward = EpilogueBackward,
      .activation_forward = ActivationForward,
      .activation_backward = ActivationBackward,
      .max_pool_forward = MaxPoolForward,
      .max_pool_backward = MaxPoolBackward,
      .global_average_pool_forward = GlobalAveragePoolForward,
      .global_average_pool_backward = GlobalAveragePoolBackward,
      .add = Add,
      .convert = Convert,
      .crossentropy = Crossentropy,
      .update = Update,
      .sum_of_squares = SumOfSquares,
  };
  return kTable;
}

}  // namespace headrace::tensor::HEADRACE_ISA
