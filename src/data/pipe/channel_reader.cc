#include "data/pipe/channel_reader.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "data/pipe/channel_config.h"
#include "data/pipe/fifo_source.h"
#include "data/pipe/read_timer.h"
#include "data/pipe/second_reading.h"

namespace headrace::data {
namespace {

// The stream of one epoch with what is to be said of it at its end.
class EpochStream : public RecordStream {
 public:
  EpochStream(std::unique_ptr<RecordStream> records, std::shared_ptr<const ReadStats> stats, std::string name,
              int64_t epoch)
      : records_(std::move(records)), stats_(std::move(stats)), name_(std::move(name)), epoch_(epoch) {}
  ~EpochStream() override {
    const uint64_t skipped = stats_->skipped, repaired = stats_->repaired;
    if (skipped + repaired == 0) return;
    // A line that a metric definition can match.
    std::printf("PipeModeDataset channel: %s epoch: %lld skipped_corrupt_records: %llu reread_records: %llu\n",
                name_.c_str(), static_cast<long long>(epoch_), static_cast<unsigned long long>(skipped),
                static_cast<unsigned long long>(repaired));
    std::fflush(stdout);
  }

  Result<std::optional<std::string_view>> Next() override { return records_->Next(); }
  bool HasMore() const override { return records_->HasMore(); }
  std::shared_ptr<void> owner() override { return records_->owner(); }
  Result<int64_t> Skip(int64_t count) override { return records_->Skip(count); }
  RecordPosition position() const override { return records_->position(); }

 private:
  std::unique_ptr<RecordStream> records_;
  std::shared_ptr<const ReadStats> stats_;
  std::string name_;
  int64_t epoch_;
};

// Of one epoch. Once nobody has answered, the platform does not know second readings, and is not asked again.
ReadAgain SecondReadings(const PipeChannel& channel, int64_t epoch) {
  return [channel, epoch, answered = true](uint64_t offset, uint64_t size) mutable -> std::optional<SecondReading> {
    if (!answered) return std::nullopt;
    auto reading = RequestSecondReading(channel, epoch, offset, size);
    answered = reading.has_value();
    return reading;
  };
}

// /opt/ml, or where the job's directory lies when it runs without a sandbox (SM_INPUT_DIR is ROOT/input).
std::string ContainerRoot() {
  const char* input = std::getenv("SM_INPUT_DIR");
  const std::string path = input != nullptr ? input : "";
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "/opt/ml" : path.substr(0, slash);
}

const std::string& Either(const std::string& given, const std::string& otherwise) {
  return given.empty() ? otherwise : given;
}

}  // namespace

std::string ConfigDirectory() { return ContainerRoot() + "/input/config"; }

Result<ChannelReader::ReadRecords> ChannelReader::ReaderOf(const std::string& format) {
  using Source = std::unique_ptr<ByteSource>;
  if (format == "TFRecord") return ReadRecords(ReadTFRecords);
  // Without checksums nothing is found corrupt that a second reading could mend.
  if (format == "RecordIO")
    return ReadRecords([](Source source, std::string name, const ReaderOptions& options, ReadAgain) {
      return ReadRecordIO(std::move(source), std::move(name), options);
    });
  if (format == "TextLine")
    return ReadRecords([](Source source, std::string name, const ReaderOptions& options, ReadAgain) {
      return ReadTextLines(std::move(source), std::move(name), options);
    });
  return Fail(ErrorCode::kInvalidArgument, "record_format: found \"{}\", wanted TFRecord, RecordIO or TextLine",
              format);
}

Result<ChannelReader> ChannelReader::Make(const std::string& channel, const PipeModeOptions& options) {
  const std::string root = ContainerRoot();
  ChannelReader reader;
  HEADRACE_ASSIGN(reader.read_, ReaderOf(options.record_format));
  if (options.max_corrupted_records_to_skip < 0)
    return Fail(ErrorCode::kInvalidArgument, "max_corrupted_records_to_skip: found {}, wanted 0 or more",
                options.max_corrupted_records_to_skip);
  if (options.wait_seconds <= 0)
    return Fail(ErrorCode::kInvalidArgument, "wait_seconds: found {}, wanted more than 0", options.wait_seconds);
  reader.channel_ = {.name = channel,
                     .state_dir = Either(options.state_dir, root + "/pipe_state"),
                     .pipe_dir = Either(options.pipe_dir, root + "/input/data"),
                     .wait = std::chrono::milliseconds(static_cast<int64_t>(options.wait_seconds * 1000))};
  HEADRACE_TRY(CheckPipeChannel(Either(options.config_dir, ConfigDirectory()), reader.channel_.pipe_dir, channel));
  reader.reader_.skip_corrupt = options.max_corrupted_records_to_skip > 0;
  reader.reader_.max_skipped = options.max_corrupted_records_to_skip;
  reader.reader_.buffer_bytes = size_t{1} << 20;
  reader.benchmark_ = options.benchmark;
  reader.benchmark_interval_ = options.benchmark_records_interval;
  return reader;
}

Result<std::unique_ptr<RecordStream>> ChannelReader::OpenNextEpoch(const StopFlag& stop) const {
  HEADRACE_ASSIGN(OpenEpoch epoch, TakeNextEpoch(channel_, stop));
  const std::string name = fmt::format("channel {}, epoch {}", channel_.name, epoch.number);
  ReaderOptions reader = reader_;
  reader.stats = std::make_shared<ReadStats>();
  auto fifo = ReadFifo(std::move(epoch.fifo), fmt::format("{} ({})", name, epoch.path), channel_.wait, stop);
  auto records = read_(std::move(fifo), name, reader, SecondReadings(channel_, epoch.number));
  if (benchmark_) records = TimeReading(std::move(records), benchmark_interval_);
  return std::make_unique<EpochStream>(std::move(records), reader.stats, channel_.name, epoch.number);
}

}  // namespace headrace::data
