// A training step in the timeline: a row for backward and the wait behind it, and a row for each bucket, so that one
// sees which buckets travel while backward still runs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "horovod/communicator.h"
#include "horovod/timeline.h"

namespace headrace::hvd {

class StepTrace {
 public:
  explicit StepTrace(Timeline* timeline) : timeline_(timeline) {}  // null: writes nothing
  void SetBuckets(std::vector<Bucket> buckets) { buckets_ = std::move(buckets); }

  void GradientReady(const std::string& variable);  // the first one of a step begins it
  void BucketLeaves(size_t bucket);
  void BucketArrives(size_t bucket);
  void BackwardEnds();
  void StepEnds();

 private:
  Timeline* timeline_;
  std::vector<Bucket> buckets_;
  bool in_step_ = false;
};

}  // namespace headrace::hvd
