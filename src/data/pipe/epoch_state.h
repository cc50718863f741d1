// Which epoch of a channel comes next: a counter that all data sets and processes of one job share, kept in the files
// that SageMaker's own PipeModeDataset keeps (STATE_DIR/.CHANNEL-pipe_mode-state, …-lock), so that both agree.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"
#include "data/record_stream.h"

namespace headrace::data {

struct PipeChannel {
  std::string name;
  std::string state_dir, pipe_dir;
  std::chrono::milliseconds wait{0};  // longest wait for a FIFO to appear, and for bytes in it
};

struct OpenEpoch {
  int64_t number = 0;
  std::string path;
  Descriptor fifo;  // non-blocking
};

// Opens the FIFO of the next epoch, once it exists, and counts it as taken. kUnavailable when `channel.wait` is over or
// `stop` becomes true; the epoch is then not taken.
Result<OpenEpoch> TakeNextEpoch(const PipeChannel& channel, const StopFlag& stop);

}  // namespace headrace::data
