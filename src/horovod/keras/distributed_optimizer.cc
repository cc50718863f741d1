#include "horovod/keras/distributed_optimizer.h"

#include <memory>
#include <utility>

#include "base/result.h"
#include "horovod/keras/distributed_exchange.h"
#include "keras/optimizer_state.h"

namespace headrace::hvd {
namespace {

void Check(const DistributedOptimizerOptions& options) {
  if (options.op != ReduceOp::kAverage && options.op != ReduceOp::kSum)
    throw MakeError(ErrorCode::kInvalidArgument, "DistributedOptimizer: op: found {}, wanted average or sum",
                    NameOf(options.op));
  if (options.backward_passes_per_step < 1)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "DistributedOptimizer: backward_passes_per_step: found {}, wanted 1 or more",
                    options.backward_passes_per_step);
  if (!(options.gradient_predivide_factor > 0))
    throw MakeError(ErrorCode::kInvalidArgument,
                    "DistributedOptimizer: gradient_predivide_factor: found {}, wanted a positive number",
                    options.gradient_predivide_factor);
  if (options.gradient_predivide_factor != 1 && options.op != ReduceOp::kAverage)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "DistributedOptimizer: gradient_predivide_factor: found {} with op sum, wanted op average",
                    options.gradient_predivide_factor);
}

// Both sum gradients of several batches, and count by the same iterations.
void CheckSums(const keras::internal::OptimizerState& optimizer, const DistributedOptimizerOptions& options) {
  if (options.backward_passes_per_step > 1 && optimizer.gradient_accumulation_steps > 1)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "DistributedOptimizer: backward_passes_per_step: found {} of an optimizer whose "
                    "gradient_accumulation_steps is {}, wanted one of the two: give the optimizer 0",
                    options.backward_passes_per_step, optimizer.gradient_accumulation_steps);
}

}  // namespace

keras::Optimizer MakeDistributed(FindCommunicator communicator, keras::Optimizer optimizer,
                                 const DistributedOptimizerOptions& options, int64_t bucket_bytes, Timeline* timeline) {
  Check(options);
  CheckSums(*optimizer.state(), options);
  const std::weak_ptr<const keras::internal::OptimizerState> state = optimizer.state();
  optimizer.state()->distribute = [communicator = std::move(communicator), options, bucket_bytes, timeline, state] {
    return std::make_shared<DistributedExchange>(communicator, ExchangeOptions{options, bucket_bytes, timeline}, state);
  };
  return optimizer;
}

keras::BatchNormalization SyncBatchNormalization(keras::BatchNormalizationOptions options) {
  options.synchronized = true;
  return keras::BatchNormalization(std::move(options));
}

}  // namespace headrace::hvd
