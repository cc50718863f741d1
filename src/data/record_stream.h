// RecordStream: what the readers and the datasets of record files share; one implementation a format.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "headrace/data.h"

#include "base/result.h"
#include "data/read_buffer.h"

namespace headrace::data {

class RecordStream {
 public:
  virtual ~RecordStream() = default;
  // The next record, valid until the next call; nullopt at the end.
  virtual Result<std::optional<std::string_view>> Next() = 0;
  // Whether bytes of the next record have been read already.
  virtual bool HasMore() const = 0;
  // Keeps the bytes of the record that Next() last returned.
  virtual std::shared_ptr<void> owner() = 0;
  // Passes over up to `count` records without looking into them, and returns how many there were.
  virtual Result<int64_t> Skip(int64_t count) = 0;
  virtual RecordPosition position() const = 0;  // of the record that Next() last returned
};

// Limits above this one mean this one: sums with a length then cannot overflow.
inline constexpr size_t kLargestLimit = size_t{1} << 48;

using StopFlag = std::shared_ptr<const std::atomic<bool>>;  // null: never stopped

// Opens a file of one format. `stop` ends a wait for a FIFO.
using OpenRecords = Result<std::unique_ptr<RecordStream>> (*)(const std::string& path, const ReaderOptions& options,
                                                              StopFlag stop);

Result<std::unique_ptr<RecordStream>> OpenTFRecord(const std::string& path, const ReaderOptions& options,
                                                   StopFlag stop = nullptr);
Result<std::unique_ptr<RecordStream>> OpenRecordIO(const std::string& path, const ReaderOptions& options,
                                                   StopFlag stop = nullptr);
Result<std::unique_ptr<RecordStream>> OpenTextLine(const std::string& path, const ReaderOptions& options,
                                                   StopFlag stop = nullptr);

// Where bytes of a stream came from, and the bytes read from there once more.
struct SecondReading {
  std::string object;
  uint64_t offset = 0;  // of the bytes in the object
  std::string bytes;    // may be fewer than asked for
};
// Asked for the bytes [offset, offset + size) of the stream when their checksum is wrong.
using ReadAgain = std::function<std::optional<SecondReading>(uint64_t offset, uint64_t size)>;

// The same on bytes from anywhere, for tests and fuzzing; `name` is for messages.
std::unique_ptr<RecordStream> ReadTFRecords(std::unique_ptr<ByteSource> source, std::string name,
                                            const ReaderOptions& options);
std::unique_ptr<RecordStream> ReadTFRecords(std::unique_ptr<ByteSource> source, std::string name,
                                            const ReaderOptions& options, ReadAgain read_again);
std::unique_ptr<RecordStream> ReadRecordIO(std::unique_ptr<ByteSource> source, std::string name,
                                           const ReaderOptions& options);
std::unique_ptr<RecordStream> ReadTextLines(std::unique_ptr<ByteSource> source, std::string name,
                                            const ReaderOptions& options);

// Whether one more corrupt place may be passed over.
class SkipBudget {
 public:
  explicit SkipBudget(const ReaderOptions& options)
      : enabled_(options.skip_corrupt), left_(options.max_skipped < 0 ? INT64_MAX : options.max_skipped) {}
  bool enabled() const { return enabled_; }
  bool Spend() { return enabled_ && left_-- > 0; }

 private:
  bool enabled_;
  int64_t left_;
};

// Counts for ReaderOptions::stats; does nothing when there are none.
class StatsCounter {
 public:
  explicit StatsCounter(std::shared_ptr<ReadStats> stats) : stats_(std::move(stats)) {}
  void Record() const {
    if (stats_) stats_->records.fetch_add(1, std::memory_order_relaxed);
  }
  void Repaired() const {
    if (stats_) stats_->repaired.fetch_add(1, std::memory_order_relaxed);
  }
  void Skipped(uint64_t bytes) const {
    if (!stats_) return;
    stats_->skipped.fetch_add(1, std::memory_order_relaxed);
    stats_->skipped_bytes.fetch_add(bytes, std::memory_order_relaxed);
  }

 private:
  std::shared_ptr<ReadStats> stats_;
};

}  // namespace headrace::data
