#include "horovod/workload.h"

#include <algorithm>
#include <utility>

namespace headrace::hvd {

void Workload::Add(Slice slice) {
  const std::lock_guard lock(mutex_);
  slices_.push_back(std::move(slice));
  count_.store(slices_.size());
}

bool Workload::HasReady() {
  if (count_.load() == 0) return false;
  const std::lock_guard lock(mutex_);
  return std::any_of(slices_.begin(), slices_.end(), [](const Slice& slice) { return slice.is_ready(); });
}

void Workload::DoReady() {
  if (count_.load() == 0) return;
  const std::lock_guard lock(mutex_);
  for (auto slice = slices_.begin(); slice != slices_.end();) {
    if (!slice->is_ready()) {
      ++slice;
      continue;
    }
    slice->reduce();
    slice = slices_.erase(slice);
  }
  count_.store(slices_.size());
}

void Workload::Drop(const void* plan) {
  const std::lock_guard lock(mutex_);
  slices_.erase(
      std::remove_if(slices_.begin(), slices_.end(), [plan](const Slice& slice) { return slice.plan == plan; }),
      slices_.end());
  count_.store(slices_.size());
}

}  // namespace headrace::hvd
