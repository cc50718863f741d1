#include "data/pipe/read_timer.h"

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace headrace::data {
namespace {

class ReadTimer : public RecordStream {
 public:
  ReadTimer(std::unique_ptr<RecordStream> records, int64_t interval)
      : records_(std::move(records)), interval_(interval) {}
  ~ReadTimer() override {
    const double seconds = static_cast<double>(nanoseconds_) * 1e-9;
    const double gigabytes = static_cast<double>(bytes_) / static_cast<double>(1 << 30);
    Print(fmt::format("total read_time_ms: {}", nanoseconds_ / 1000000), fmt::format("total read_bytes: {}", bytes_),
          fmt::format("total read_GB/s: {}", seconds > 0 ? gigabytes / seconds : 0.0));
  }

  Result<std::optional<std::string_view>> Next() override {
    const auto start = std::chrono::steady_clock::now();
    auto record = records_->Next();
    const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - start;
    if (record && *record) Count((*record)->size(), static_cast<uint64_t>(took.count()));
    return record;
  }
  bool HasMore() const override { return records_->HasMore(); }
  std::shared_ptr<void> owner() override { return records_->owner(); }
  Result<int64_t> Skip(int64_t count) override { return records_->Skip(count); }
  RecordPosition position() const override { return records_->position(); }

 private:
  void Count(size_t bytes, uint64_t nanoseconds) {
    ++count_;
    bytes_ += bytes;
    nanoseconds_ += nanoseconds;
    if (interval_ > 0 && count_ % interval_ == 0)
      Print(fmt::format("records: {}", count_), fmt::format("records read_time_ns: {}", nanoseconds),
            fmt::format("records read_bytes: {}", bytes));
  }

  template <typename... Lines>
  static void Print(const Lines&... lines) {
    std::string text;
    ((text += "PipeModeDatasetOp::Dataset::Iterator " + lines + "\n"), ...);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

  std::unique_ptr<RecordStream> records_;
  int64_t interval_, count_ = 0;
  uint64_t bytes_ = 0, nanoseconds_ = 0;
};

}  // namespace

std::unique_ptr<RecordStream> TimeReading(std::unique_ptr<RecordStream> records, int64_t interval) {
  return std::make_unique<ReadTimer>(std::move(records), interval);
}

}  // namespace headrace::data
