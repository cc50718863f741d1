#include "horovod/keras/buckets.h"

namespace headrace::hvd {

std::vector<GradientBucket> CutIntoBuckets(const std::vector<int64_t>& offsets, int64_t count, int64_t bytes) {
  std::vector<GradientBucket> buckets;
  int64_t end = count;
  GradientBucket bucket;
  for (size_t variable = offsets.size(); variable-- > 0;) {
    bucket.variables.push_back(variable);
    const bool full = (end - offsets[variable]) * static_cast<int64_t>(sizeof(float)) >= bytes;
    if (!full && variable > 0) continue;
    bucket.begin = offsets[variable];
    bucket.end = end;
    end = bucket.begin;
    buckets.push_back(std::move(bucket));
    bucket = {};
  }
  return buckets;
}

BucketProgress::BucketProgress(const std::vector<GradientBucket>& buckets, size_t variables) : bucket_of_(variables) {
  for (size_t i = 0; i < buckets.size(); ++i) {
    for (const size_t variable : buckets[i].variables) bucket_of_[variable] = i;
    members_.push_back(buckets[i].variables.size());
  }
  Reset();
}

void BucketProgress::Reset() {
  missing_ = members_;
  next_ = 0;
}

void BucketProgress::Ready(size_t variable) { --missing_[bucket_of_[variable]]; }

}  // namespace headrace::hvd
