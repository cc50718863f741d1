#include "horovod/keras/step_trace.h"

#include "base/result.h"

namespace headrace::hvd {
namespace {

constexpr const char* kStep = "training step";

}  // namespace

// A timeline that starts or ends within a step begins with the next one.
void StepTrace::GradientReady(const std::string& variable) {
  if (timeline_ == nullptr) return;
  if (!in_step_ && timeline_->active()) {
    in_step_ = true;
    timeline_->MarkCycle();
    timeline_->Begin(kStep, "BACKWARD");
  }
  if (in_step_) timeline_->Mark(kStep, variable);
}

void StepTrace::BucketLeaves(size_t bucket) {
  if (in_step_) timeline_->Begin(buckets_[bucket].name, "ALLREDUCE");
}

void StepTrace::BucketArrives(size_t bucket) {
  if (in_step_) timeline_->End(buckets_[bucket].name, "float32", fmt::format("[{}]", buckets_[bucket].count));
}

void StepTrace::BackwardEnds() {
  if (!in_step_) return;
  timeline_->End(kStep);
  timeline_->Begin(kStep, "WAIT_FOR_OTHER_RANKS");
}

void StepTrace::StepEnds() {
  if (!in_step_) return;
  timeline_->End(kStep);
  in_step_ = false;
}

}  // namespace headrace::hvd
