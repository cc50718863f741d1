// DistributedOptimizer over a Communicator.
#pragma once

#include <cstdint>

#include "headrace/horovod.h"
#include "headrace/keras.h"

#include "horovod/communicator.h"
#include "horovod/keras/distributed_exchange.h"

namespace headrace::hvd {

keras::Optimizer MakeDistributed(FindCommunicator communicator, keras::Optimizer optimizer,
                                 const DistributedOptimizerOptions& options, int64_t bucket_bytes = kBucketBytes,
                                 Timeline* timeline = nullptr);

}  // namespace headrace::hvd
