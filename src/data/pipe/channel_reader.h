// ChannelReader: what the options of a PipeModeDataset ask for, checked once; and the channel's epochs, one after the
// other.
#pragma once

#include <memory>
#include <string>

#include "headrace/data.h"

#include "base/result.h"
#include "data/pipe/epoch_state.h"
#include "data/record_stream.h"

namespace headrace::data {

class ChannelReader {
 public:
  // kInvalidArgument for an option out of its range; else the errors of CheckPipeChannel.
  static Result<ChannelReader> Make(const std::string& channel, const PipeModeOptions& options);

  // The records of the next epoch, which is taken with that (TakeNextEpoch). A corrupt record is read a second time.
  // When the stream goes, the FIFO is closed: wherever reading stood, the epoch is over; and what benchmark mode has
  // counted, and how many records were left out or mended, is printed.
  Result<std::unique_ptr<RecordStream>> OpenNextEpoch(const StopFlag& stop) const;

 private:
  using ReadRecords = std::unique_ptr<RecordStream> (*)(std::unique_ptr<ByteSource> source, std::string name,
                                                        const ReaderOptions& options, ReadAgain read_again);
  static Result<ReadRecords> ReaderOf(const std::string& format);

  PipeChannel channel_;
  ReaderOptions reader_;
  ReadRecords read_ = nullptr;
  bool benchmark_ = false;
  int64_t benchmark_interval_ = 0;
};

// DIR/input/config, where DIR is /opt/ml, or where the job's directory lies when it runs without a sandbox.
std::string ConfigDirectory();

}  // namespace headrace::data
