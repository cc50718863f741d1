#include <algorithm>
#include <cstring>
#include <vector>

#include "headrace/data.h"

#include "base/result.h"
#include "data/numpy_shuffle.h"
#include "data/row.h"

namespace headrace::data {
namespace {

constexpr const char* kSeriesCall = "TimeseriesDatasetFromArray";

void RequireBetween(const char* what, int64_t found, int64_t least, int64_t most) {
  if (found < least || found > most)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: {}: found {}, wanted {} to {}", kSeriesCall, what, found, least,
                    most);
}

Tensor RowsOf(const char* what, const Tensor& tensor, int64_t begin, int64_t end) {
  if (!tensor.defined() || tensor.shape().rank() == 0 || tensor.dim(0) < 1)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: {}: found the shape {}, wanted rows", kSeriesCall, what,
                    tensor.shape().ToString());
  return tensor.Slice(std::min(begin, tensor.dim(0)), std::min(end, tensor.dim(0)));
}

// Rows first, first + step, …: a view where they lie next to each other.
Tensor Window(const Tensor& rows, int64_t first, int64_t length, int64_t step) {
  if (step == 1) return rows.Slice(first, first + length);
  Shape shape = rows.shape();
  shape[0] = length;
  Tensor window(rows.dtype(), std::move(shape));
  const size_t row = rows.bytes() / static_cast<size_t>(rows.dim(0));
  const auto* from = static_cast<const char*>(rows.raw()) + static_cast<size_t>(first) * row;
  for (int64_t i = 0; i < length; ++i, from += static_cast<size_t>(step) * row)
    std::memcpy(static_cast<char*>(window.raw()) + static_cast<size_t>(i) * row, from, row);
  return window;
}

}  // namespace

Dataset TimeseriesDatasetFromArray(const Tensor& data, const Tensor& targets, int64_t sequence_length,
                                   TimeseriesOptions options) {
  const int64_t all = RowsOf("data", data, 0, INT64_MAX).dim(0);
  RequireBetween("start_index", options.start_index, 0, all - 1);
  const int64_t end = options.end_index.value_or(all);
  RequireBetween("end_index", end, options.start_index + 1, all);
  RequireBetween("sequence_length", sequence_length, 1, all);
  RequireBetween("sampling_rate", options.sampling_rate, 1, std::max<int64_t>(all - 1, 1));
  RequireBetween("sequence_stride", options.sequence_stride, 1, std::max<int64_t>(all - 1, 1));
  RequireBetween("batch_size", options.batch_size, 0, INT64_MAX / 8);

  const Tensor rows = RowsOf("data", data, options.start_index, end);
  const Tensor wanted = targets.defined() ? RowsOf("targets", targets, options.start_index, end) : Tensor();
  int64_t count = rows.dim(0) - (sequence_length - 1) * options.sampling_rate;
  if (targets.defined()) count = std::min(count, wanted.dim(0));
  std::vector<int64_t> starts;
  for (int64_t start = 0; start < count; start += options.sequence_stride) starts.push_back(start);
  if (starts.empty())
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found {} rows for windows of {}, wanted one window or more",
                    kSeriesCall, rows.dim(0), (sequence_length - 1) * options.sampling_rate + 1);
  if (options.shuffle) NumpyShuffle(options.seed.value_or(0), starts);

  const auto windows = static_cast<int64_t>(starts.size());
  Dataset dataset = Dataset::FromTensorSlices(Tensor::FromVector(starts, {windows}))
                        .map([rows, wanted, sequence_length, step = options.sampling_rate](const Element& start) {
                          const int64_t first = *start.x().data<int64_t>();
                          Element window = Window(rows, first, sequence_length, step);
                          if (wanted.defined()) window.Append(Row(wanted, first));
                          return window;
                        });
  if (options.shuffle)
    dataset =
        dataset.shuffle(options.batch_size > 0 ? options.batch_size * 8 : 1024, {.seed = options.seed.value_or(0)});
  return options.batch_size > 0 ? dataset.batch(options.batch_size) : dataset;
}

}  // namespace headrace::data
