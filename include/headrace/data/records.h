// headrace/data/records.h: record files, read and written. Included by headrace/data.h.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "headrace/error.h"

namespace headrace::data {

enum class Compression : uint8_t {
  kAuto,  // readers only: gzip or zlib when the first bytes say so and are not those of a plain file
  kNone,
  kGzip,
  kZlib,
};

// Counts of what readers did; may be shared by several readers and read at any time.
struct ReadStats {
  std::atomic<uint64_t> records{0};
  std::atomic<uint64_t> skipped{0};        // corrupt places passed over
  std::atomic<uint64_t> skipped_bytes{0};  // bytes in them
  std::atomic<uint64_t> repaired{0};       // checksums that were wrong, and right at a second reading (Pipe mode)
};

struct ReaderOptions {
  Compression compression = Compression::kAuto;
  // A longer record is refused (kResourceExhausted) before memory is allocated for it.
  size_t max_record_bytes = size_t{256} << 20;
  // Bytes asked of the system at once; grows for a longer record.
  size_t buffer_bytes = size_t{256} << 10;
  bool verify_checksums = true;  // of the data; the checksum of a length is always verified
  // Pass over corrupt records instead of throwing: one with a wrong checksum of its data is left out; after a wrong
  // length the reader searches the next place that looks like a record. Each place counts once in `stats`.
  bool skip_corrupt = false;
  int64_t max_skipped = -1;          // places passed over before the next one throws after all; -1: any number
  std::shared_ptr<ReadStats> stats;  // or null
};

struct WriterOptions {
  Compression compression = Compression::kNone;
  int level = -1;  // 1 (fast) to 9 (small); -1 is zlib's default, 6
};

// Where a record lies: offsets count bytes of the uncompressed stream.
struct RecordPosition {
  uint64_t index = 0;   // 0 for the first record of the file
  uint64_t offset = 0;  // of its first byte (the length), in the uncompressed stream
};

// TFRecord: length, masked CRC32C of the length, data, masked CRC32C of the data. docs/formats/tfrecord.md.
class TFRecordReader {
 public:
  explicit TFRecordReader(std::string path, ReaderOptions options = {});
  TFRecordReader(TFRecordReader&&) noexcept;
  TFRecordReader& operator=(TFRecordReader&&) noexcept;
  ~TFRecordReader();

  // The next record, or nullopt at the end of the file. The bytes are valid until the next call.
  std::optional<std::string_view> Next();
  RecordPosition position() const;  // of the record that Next() last returned

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Writes to a temporary file beside `path`, which gets its name in Close(); dropped without it, nothing is left.
class TFRecordWriter {
 public:
  explicit TFRecordWriter(const std::string& path, WriterOptions options = {});
  TFRecordWriter(TFRecordWriter&&) noexcept;
  TFRecordWriter& operator=(TFRecordWriter&&) noexcept;
  ~TFRecordWriter();

  void Write(std::string_view record);
  void Close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// RecordIO as MXNet and SageMaker write it: magic, flag and length, data padded to four bytes; no checksum.
// docs/formats/recordio.md. The same contracts as above; records are shorter than 2^29 bytes.
class RecordIOReader {
 public:
  explicit RecordIOReader(std::string path, ReaderOptions options = {});
  RecordIOReader(RecordIOReader&&) noexcept;
  RecordIOReader& operator=(RecordIOReader&&) noexcept;
  ~RecordIOReader();

  std::optional<std::string_view> Next();
  RecordPosition position() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class RecordIOWriter {
 public:
  explicit RecordIOWriter(const std::string& path, WriterOptions options = {});
  RecordIOWriter(RecordIOWriter&&) noexcept;
  RecordIOWriter& operator=(RecordIOWriter&&) noexcept;
  ~RecordIOWriter();

  void Write(std::string_view record);
  void Close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// CRC32C (Castagnoli) of `bytes`, continuing from `crc`, and the form that TFRecord stores.
uint32_t Crc32c(std::string_view bytes, uint32_t crc = 0);
inline uint32_t MaskCrc(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; }
inline uint32_t UnmaskCrc(uint32_t masked) {
  const uint32_t rotated = masked - 0xa282ead8u;
  return (rotated >> 17) | (rotated << 15);
}

}  // namespace headrace::data
