#include "tensor/parallel.h"

#include "base/processors.h"

namespace headrace::tensor {

void PinThreads(int first) {
  const std::vector<int> processors = Processors();
#pragma omp parallel
  BindThisThread(processors, static_cast<size_t>(first + omp_get_thread_num()));
}

}  // namespace headrace::tensor
