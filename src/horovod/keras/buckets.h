// Buckets: the packed gradients cut into parts that leave while backward still runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace headrace::hvd {

// Neighbours in the packed gradients that are reduced together.
struct GradientBucket {
  int64_t begin = 0, end = 0;     // elements of the packed gradients
  std::vector<size_t> variables;  // in it, the last one first
};

// Backward makes the last variables' gradients final first, so the buckets go from the end to the beginning; each is
// as small as it can be with at least `bytes` bytes of float32 (the last one may have fewer). `offsets`: of the
// variables, ascending; `count`: elements in all. 0 bytes: a bucket a variable.
std::vector<GradientBucket> CutIntoBuckets(const std::vector<int64_t>& offsets, int64_t count, int64_t bytes);

// Which buckets may leave. They leave in order, all ranks' in the same one, whatever order their gradients become
// final in.
class BucketProgress {
 public:
  BucketProgress(const std::vector<GradientBucket>& buckets, size_t variables);
  // Of a step's beginning.
  void Reset();
  // Marks one more gradient as final.
  void Ready(size_t variable);
  // The bucket that leaves next, the number of buckets when all have left.
  size_t next() const { return next_; }
  // Whether all its gradients are final.
  bool NextIsReady() const { return next_ < missing_.size() && missing_[next_] == 0; }
  void Leave() { ++next_; }

 private:
  std::vector<size_t> bucket_of_;  // by variable
  std::vector<size_t> members_;    // by bucket
  std::vector<size_t> missing_;    // by bucket
  size_t next_ = 0;
};

}  // namespace headrace::hvd
