// headrace/data/series.h: windows of a time series, as keras.utils makes them. Included by headrace/data.h.
#pragma once

#include <cstdint>
#include <optional>

#include "headrace/data/dataset.h"
#include "headrace/tensor.h"

namespace headrace::data {

struct TimeseriesOptions {
  int64_t sequence_stride = 1;  // rows from the first of a window to that of the next
  int64_t sampling_rate = 1;    // rows from one of a window to the next
  int64_t batch_size = 128;     // 0: no batches
  bool shuffle = false;
  std::optional<uint32_t> seed = std::nullopt;
  int64_t start_index = 0;  // only rows [start_index, end_index) are used; no end_index: up to the last
  std::optional<int64_t> end_index = std::nullopt;
};
// Windows of `sequence_length` rows of `data`, beside each the row of `targets` whose number its first row has; without
// targets (Tensor()) windows alone.
Dataset TimeseriesDatasetFromArray(const Tensor& data, const Tensor& targets, int64_t sequence_length,
                                   TimeseriesOptions options = {});

}  // namespace headrace::data
