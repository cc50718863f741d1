#include "horovod/workload.h"

#include <algorithm>
#include <utility>

namespace headrace::hvd {

void Workload::Add(Slice slice) {
  const std::lock_guard lock(mutex_);
  slices_.push_back(std::move(slice));
}

bool Workload::HasReady() {
  const std::lock_guard lock(mutex_);
  return std::any_of(slices_.begin(), slices_.end(), [](const Slice& slice) { return slice.is_ready(); });
}

void Workload::DoReady() {
  const std::lock_guard lock(mutex_);
  for (auto slice = slices_.begin(); slice != slices_.end();) {
    if (!slice->is_ready()) {
      ++slice;
      continue;
    }
    slice->reduce();
    slice = slices_.erase(slice);
  }
}

void Workload::Drop(const void* plan) {
  const std::lock_guard lock(mutex_);
  slices_.erase(
      std::remove_if(slices_.begin(), slices_.end(), [plan](const Slice& slice) { return slice.plan == plan; }),
      slices_.end());
}

}  // namespace headrace::hvd
