// Records of a job's Pipe mode channel: every run of this source is one epoch, read from the epoch's FIFO.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/result.h"
#include "data/dataset/nodes.h"
#include "data/dataset/record_element.h"
#include "data/pipe/channel_config.h"
#include "data/pipe/epoch_state.h"
#include "data/pipe/fifo_source.h"
#include "data/pipe/second_reading.h"

namespace headrace::data {
namespace {

using ReadRecords = std::unique_ptr<RecordStream> (*)(std::unique_ptr<ByteSource> source, std::string name,
                                                      const ReaderOptions& options, ReadAgain read_again);

struct PipeModeNode : Dataset::Node {
  PipeChannel channel;
  PipeModeOptions options;
  ReaderOptions reader;
  ReadRecords read = nullptr;

  std::unique_ptr<Stage> Start(const Context& context) const override;
  int64_t cardinality() const override { return kUnknown; }
  bool replayable() const override { return false; }  // a run takes an epoch
};

// What SageMaker's benchmark mode counts and prints, in its words.
class Benchmark {
 public:
  Benchmark(bool enabled, int64_t interval) : enabled_(enabled), interval_(interval) {}
  Benchmark(const Benchmark&) = delete;
  Benchmark& operator=(const Benchmark&) = delete;
  ~Benchmark() {
    if (!enabled_) return;
    const double seconds = static_cast<double>(nanoseconds_) * 1e-9;
    const double gigabytes = static_cast<double>(bytes_) / static_cast<double>(1 << 30);
    Print(fmt::format("total read_time_ms: {}", nanoseconds_ / 1000000), fmt::format("total read_bytes: {}", bytes_),
          fmt::format("total read_GB/s: {}", seconds > 0 ? gigabytes / seconds : 0.0));
  }

  template <typename Read>
  auto Time(const Read& read) {
    if (!enabled_) return read();
    const auto start = std::chrono::steady_clock::now();
    auto record = read();
    const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - start;
    if (record && *record) Count((*record)->size(), static_cast<uint64_t>(took.count()));
    return record;
  }

 private:
  void Count(size_t bytes, uint64_t nanoseconds) {
    ++records_;
    bytes_ += bytes;
    nanoseconds_ += nanoseconds;
    if (interval_ > 0 && records_ % interval_ == 0)
      Print(fmt::format("records: {}", records_), fmt::format("records read_time_ns: {}", nanoseconds),
            fmt::format("records read_bytes: {}", bytes));
  }

  template <typename... Lines>
  static void Print(const Lines&... lines) {
    std::string text;
    ((text += "PipeModeDatasetOp::Dataset::Iterator " + lines + "\n"), ...);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

  bool enabled_;
  int64_t interval_, records_ = 0;
  uint64_t bytes_ = 0, nanoseconds_ = 0;
};

class PipeModeStage : public ElementStage {
 public:
  PipeModeStage(const PipeModeNode& node, const Context& context)
      : node_(node),
        context_(context),
        stats_(std::make_shared<ReadStats>()),
        benchmark_(node.options.benchmark, node.options.benchmark_records_interval) {}
  // Closes the FIFO: wherever reading stood, the epoch is over.
  ~PipeModeStage() override {
    const uint64_t skipped = stats_->skipped, repaired = stats_->repaired;
    if (skipped + repaired == 0) return;
    // A line that a metric definition can match.
    std::printf("PipeModeDataset channel: %s epoch: %lld skipped_corrupt_records: %llu reread_records: %llu\n",
                node_.channel.name.c_str(), static_cast<long long>(epoch_), static_cast<unsigned long long>(skipped),
                static_cast<unsigned long long>(repaired));
    std::fflush(stdout);
  }

  int64_t Skip(int64_t count) override { return ValueOrThrow(Records().Skip(count)); }

 protected:
  bool PullOne(Element& out) override {
    RecordStream& records = Records();
    const auto record = ValueOrThrow(benchmark_.Time([&] { return records.Next(); }));
    if (record) out = ElementOf(records, *record, context_);
    return record.has_value();
  }
  bool ready() const override { return records_ && records_->HasMore(); }

 private:
  // Takes the next epoch when the first of its records is asked for.
  RecordStream& Records() {
    if (records_) return *records_;
    OpenEpoch epoch = ValueOrThrow(TakeNextEpoch(node_.channel, context_.stop));
    epoch_ = epoch.number;
    const std::string name = fmt::format("channel {}, epoch {}", node_.channel.name, epoch_);
    ReaderOptions reader = node_.reader;
    reader.stats = stats_;
    auto fifo =
        ReadFifo(std::move(epoch.fifo), fmt::format("{} ({})", name, epoch.path), node_.channel.wait, context_.stop);
    const auto read_again = [this](uint64_t offset, uint64_t size) -> std::optional<SecondReading> {
      if (!answered_) return std::nullopt;
      auto reading = RequestSecondReading(node_.channel, epoch_, offset, size);
      answered_ = reading.has_value();
      return reading;
    };
    records_ = node_.read(std::move(fifo), name, reader, read_again);
    return *records_;
  }

  const PipeModeNode& node_;
  Context context_;
  int64_t epoch_ = 0;
  bool answered_ = true;  // false: the platform does not know second readings, and is not asked again
  std::shared_ptr<ReadStats> stats_;
  Benchmark benchmark_;
  std::unique_ptr<RecordStream> records_;  // null until the first record is asked for
};

std::unique_ptr<Stage> PipeModeNode::Start(const Context& context) const {
  return std::make_unique<PipeModeStage>(*this, context);
}

ReadRecords ReaderOf(const std::string& format) {
  using Source = std::unique_ptr<ByteSource>;
  if (format == "TFRecord") return ReadTFRecords;
  // Without checksums nothing is found corrupt that a second reading could mend.
  if (format == "RecordIO")
    return [](Source source, std::string name, const ReaderOptions& options, ReadAgain) {
      return ReadRecordIO(std::move(source), std::move(name), options);
    };
  if (format == "TextLine")
    return [](Source source, std::string name, const ReaderOptions& options, ReadAgain) {
      return ReadTextLines(std::move(source), std::move(name), options);
    };
  throw MakeError(ErrorCode::kInvalidArgument, "record_format: found \"{}\", wanted TFRecord, RecordIO or TextLine",
                  format);
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

NodePtr MakePipeMode(const std::string& channel, PipeModeOptions options) {
  const std::string root = ContainerRoot();
  auto node = std::make_shared<PipeModeNode>();
  node->read = ReaderOf(options.record_format);
  if (options.max_corrupted_records_to_skip < 0)
    throw MakeError(ErrorCode::kInvalidArgument, "max_corrupted_records_to_skip: found {}, wanted 0 or more",
                    options.max_corrupted_records_to_skip);
  if (options.wait_seconds <= 0)
    throw MakeError(ErrorCode::kInvalidArgument, "wait_seconds: found {}, wanted more than 0", options.wait_seconds);
  node->channel = {.name = channel,
                   .state_dir = Either(options.state_dir, root + "/pipe_state"),
                   .pipe_dir = Either(options.pipe_dir, root + "/input/data"),
                   .wait = std::chrono::milliseconds(static_cast<int64_t>(options.wait_seconds * 1000))};
  ValueOrThrow(CheckPipeChannel(Either(options.config_dir, root + "/input/config"), node->channel.pipe_dir, channel));
  node->reader.skip_corrupt = options.max_corrupted_records_to_skip > 0;
  node->reader.max_skipped = options.max_corrupted_records_to_skip;
  node->reader.buffer_bytes = size_t{1} << 20;
  node->options = std::move(options);
  return node;
}

std::string ChannelInputMode(const std::string& channel) {
  return ValueOrThrow(InputModeOf(ContainerRoot() + "/input/config", channel));
}

}  // namespace headrace::data
