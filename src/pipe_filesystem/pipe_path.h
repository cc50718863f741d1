// The name that TensorFlow knows an epoch by: "headrace.pipe://" and a JSON object of what PipeModeDataset was called
// with,
//   {"channel": "train", "record_format": "TFRecord", "state_dir": …, "pipe_dir": …, "config_dir": …, "benchmark":
//   false,
//    "benchmark_records_interval": 0, "max_corrupted_records_to_skip": 0}
// of which only the channel must be there. Each opening of the name is the channel's next epoch.
#pragma once

#include <string_view>

#include "base/result.h"
#include "data/pipe/channel_reader.h"

namespace headrace::pipe_filesystem {

inline constexpr std::string_view kScheme = "headrace.pipe";

// With or without the scheme in front.
Result<data::ChannelReader> ReaderOf(std::string_view path);

}  // namespace headrace::pipe_filesystem
