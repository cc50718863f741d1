// A user's program of several ranks.
#include <cstdio>
#include <vector>

#include "headrace/horovod.h"

int main() {
  using namespace headrace;
  hvd::init();
  const hvd::Array sum = hvd::allreduce(hvd::Array::Of(std::vector<float>{1}), {.op = hvd::ReduceOp::kSum});
  std::printf("rank %d of %d: %g\n", hvd::rank(), hvd::size(), *sum.data<float>());
}
