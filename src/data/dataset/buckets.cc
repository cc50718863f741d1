// Batches of one kind: padded_batch(), group_by_window() and what bucket_by_sequence_length() makes of both.
#include <algorithm>

#include "base/result.h"
#include "data/dataset/nodes.h"

namespace headrace::data {
namespace {

struct Buckets {
  std::vector<int64_t> boundaries, batch_sizes;
  BucketOptions options;

  int64_t Of(int64_t length) const {
    return std::upper_bound(boundaries.begin(), boundaries.end(), length) - boundaries.begin();
  }

  Dataset Batch(int64_t bucket, const Dataset& elements) const {
    const int64_t size = batch_sizes[static_cast<size_t>(bucket)];
    if (options.no_padding) return elements.batch(size, {.drop_remainder = options.drop_remainder});
    PaddedBatchOptions padding{.padded_shapes = options.padded_shapes,
                               .padding_values = options.padding_values,
                               .drop_remainder = options.drop_remainder};
    if (options.pad_to_bucket_boundary) PadToBoundary(bucket, elements, padding.padded_shapes);
    return elements.padded_batch(size, std::move(padding));
  }

 private:
  void PadToBoundary(int64_t bucket, const Dataset& elements, std::vector<Shape>& shapes) const {
    if (bucket == static_cast<int64_t>(boundaries.size()))
      throw MakeError(ErrorCode::kInvalidArgument,
                      "bucket_by_sequence_length: found an element of {} or longer, wanted shorter ones with "
                      "pad_to_bucket_boundary",
                      boundaries.back());
    const int64_t length = boundaries[static_cast<size_t>(bucket)] - 1;
    if (!shapes.empty()) {
      for (Shape& shape : shapes)
        for (size_t axis = 0; axis < shape.rank(); ++axis)
          if (shape[axis] < 0) shape[axis] = length;
      return;
    }
    const auto first = elements.take(1).get_single_element();
    for (const Tensor& component : first.components()) {
      shapes.emplace_back(std::vector<int64_t>(component.shape().rank(), -1));
      if (shapes.back().rank() > 0) shapes.back()[0] = length;
    }
  }
};

void CheckBuckets(const Buckets& buckets) {
  const auto& [boundaries, sizes, options] = buckets;
  if (boundaries.empty() || sizes.size() != boundaries.size() + 1)
    throw MakeError(
        ErrorCode::kInvalidArgument,
        "bucket_by_sequence_length: found {} boundaries and {} batch sizes, wanted one size more, and a boundary",
        boundaries.size(), sizes.size());
  for (size_t i = 1; i < boundaries.size(); ++i)
    if (boundaries[i] <= boundaries[i - 1])
      throw MakeError(ErrorCode::kInvalidArgument,
                      "bucket_by_sequence_length: found the boundary {} after {}, wanted a larger one", boundaries[i],
                      boundaries[i - 1]);
  for (const int64_t size : sizes)
    if (size < 1)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "bucket_by_sequence_length: bucket_batch_sizes: found {}, wanted 1 or more", size);
}

}  // namespace

Dataset Dataset::padded_batch(int64_t batch_size, PaddedBatchOptions options) const {
  if (batch_size < 1)
    throw MakeError(ErrorCode::kInvalidArgument, "padded_batch: batch_size: found {}, wanted at least 1", batch_size);
  return Dataset(MakePaddedBatch(node_, batch_size, std::move(options)));
}

Dataset Dataset::group_by_window(KeyFn key_func, ReduceGroupFn reduce_func, int64_t window_size) const {
  return group_by_window(std::move(key_func), std::move(reduce_func), [window_size](int64_t) { return window_size; });
}

Dataset Dataset::group_by_window(KeyFn key_func, ReduceGroupFn reduce_func,
                                 std::function<int64_t(int64_t key)> window_size_func) const {
  return Dataset(MakeGroups(node_, {std::move(key_func), std::move(reduce_func), std::move(window_size_func)}));
}

Dataset Dataset::bucket_by_sequence_length(KeyFn element_length_func, std::vector<int64_t> bucket_boundaries,
                                           std::vector<int64_t> bucket_batch_sizes, BucketOptions options) const {
  const auto buckets = std::make_shared<const Buckets>(
      Buckets{std::move(bucket_boundaries), std::move(bucket_batch_sizes), std::move(options)});
  CheckBuckets(*buckets);
  return group_by_window(
      [buckets, length = std::move(element_length_func)](const Element& element) {
        return buckets->Of(length(element));
      },
      [buckets](int64_t bucket, const Dataset& elements) { return buckets->Batch(bucket, elements); },
      [buckets](int64_t bucket) { return buckets->batch_sizes[static_cast<size_t>(bucket)]; });
}

}  // namespace headrace::data
