// The Keras part of headrace/horovod.h, over the ranks of this process's job.
#include <cmath>
#include <utility>

#include "headrace/horovod.h"

#include "base/result.h"
#include "horovod/keras/callbacks.h"
#include "horovod/keras/distributed_optimizer.h"
#include "horovod/process_timeline.h"
#include "horovod/settings.h"
#include "horovod/world.h"

namespace headrace::hvd {
namespace {

// Horovod's variable says how much may travel as one.
int64_t BucketBytes() {
  const int64_t most = ValueOrThrow(Settings::FromEnvironment()).fusion_bytes;
  return most < kBucketBytes ? most : kBucketBytes;
}

}  // namespace

keras::Optimizer DistributedOptimizer(keras::Optimizer optimizer, DistributedOptimizerOptions options) {
  return MakeDistributed(World, std::move(optimizer), options, BucketBytes(), &ProcessTimeline());
}

namespace callbacks {

keras::CallbackPtr BroadcastGlobalVariablesCallback(int root_rank) { return MakeBroadcastCallback(World(), root_rank); }

keras::CallbackPtr MetricAverageCallback() { return MakeMetricAverageCallback(World()); }

keras::CallbackPtr LearningRateScheduleCallback(std::function<double(double epoch)> multiplier,
                                                LearningRateScheduleOptions options) {
  return MakeScheduleCallback(std::move(multiplier), options);
}

keras::CallbackPtr LearningRateScheduleCallback(double multiplier, LearningRateScheduleOptions options) {
  const auto decay = [multiplier, start = options.start_epoch](double epoch) {
    return std::pow(multiplier, epoch - start);
  };
  return MakeScheduleCallback(decay, options);
}

keras::CallbackPtr LearningRateWarmupCallback(LearningRateWarmupOptions options) {
  return MakeWarmupCallback(World().place(), options);
}

}  // namespace callbacks
}  // namespace headrace::hvd
