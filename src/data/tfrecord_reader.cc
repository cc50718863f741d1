#include "data/record_stream.h"
#include "data/tfrecord_format.h"

namespace headrace::data {
namespace {

using namespace tfrecord;

bool LooksLikeTFRecord(std::string_view first) { return first.size() >= kHeaderBytes && IsHeader(first.data()); }

class TFRecordStream : public RecordStream {
 public:
  TFRecordStream(std::unique_ptr<ByteSource> source, std::string name, const ReaderOptions& options,
                 ReadAgain read_again)
      : name_(std::move(name)),
        read_again_(std::move(read_again)),
        buffer_(std::move(source), options.buffer_bytes),
        max_record_bytes_(std::min(options.max_record_bytes, kLargestLimit)),
        verify_(options.verify_checksums),
        skips_(options),
        stats_(options.stats) {}

  Result<std::optional<std::string_view>> Next() override { return NextRecord(verify_); }

  Result<int64_t> Skip(int64_t count) override {
    // A record with wrong data is not counted when it is skipped, so then its checksum must be looked at.
    const bool verify = verify_ && skips_.enabled();
    for (int64_t skipped = 0; skipped < count; ++skipped) {
      HEADRACE_ASSIGN(const auto record, NextRecord(verify));
      if (!record) return skipped;
    }
    return count;
  }

  std::shared_ptr<void> owner() override {
    if (repaired_) return repaired_;
    return buffer_.owner();
  }
  bool HasMore() const override { return buffer_.available() > handed_out_; }
  RecordPosition position() const override { return position_; }

 private:
  // One loop a place that is passed over; normally none.
  Result<std::optional<std::string_view>> NextRecord(bool verify) {
    while (true) {
      buffer_.Consume(std::exchange(handed_out_, 0));
      repaired_.reset();
      second_.reset();
      position_ = {next_index_, buffer_.offset()};
      HEADRACE_ASSIGN(const bool whole, buffer_.Need(kHeaderBytes));
      if (!whole) return EndOfFile();
      const std::optional<uint64_t> right_length = Length();
      if (!right_length) {
        if (!skips_.Spend()) return CorruptLength();
        HEADRACE_TRY(FindNextHeader());
        continue;
      }
      const uint64_t length = *right_length;
      if (length > max_record_bytes_)
        return Fail(ErrorCode::kResourceExhausted,
                    "{}: record {} at byte {}: length {} exceeds the limit of {} bytes (the checksum of the length is "
                    "right)",
                    name_, position_.index, position_.offset, length, max_record_bytes_);
      const size_t frame = kHeaderBytes + length + kFooterBytes;
      HEADRACE_ASSIGN(const bool complete, buffer_.Need(frame));
      if (!complete) return Truncated(frame);
      handed_out_ = frame;
      ++next_index_;
      const std::string_view data(buffer_.data() + kHeaderBytes, length);
      if (!verify || Load<uint32_t>(data.data() + length) == MaskedCrc(data)) {
        stats_.Record();
        return data;
      }
      if (const auto repaired = Repaired(length)) return *repaired;
      if (!skips_.Spend()) return CorruptData(data);
      stats_.Skipped(frame);
    }
  }

  // Of the record at the front of the buffer; nullopt when its checksum is wrong, also at a second reading.
  std::optional<uint64_t> Length() {
    if (IsHeader(buffer_.data())) return Load<uint64_t>(buffer_.data());
    if (read_again_) second_ = read_again_(position_.offset, kHeaderBytes);
    if (!second_ || second_->bytes.size() != kHeaderBytes || !IsHeader(second_->bytes.data())) return std::nullopt;
    stats_.Repaired();
    return Load<uint64_t>(second_->bytes.data());
  }

  // The record's data as a second reading finds it, when that is right.
  std::optional<std::string_view> Repaired(uint64_t length) {
    if (read_again_) second_ = read_again_(position_.offset + kHeaderBytes, length + kFooterBytes);
    if (!second_ || second_->bytes.size() != length + kFooterBytes) return std::nullopt;
    const std::string_view data(second_->bytes.data(), length);
    if (Load<uint32_t>(data.data() + length) != MaskedCrc(data)) return std::nullopt;
    repaired_ = std::make_shared<std::string>(std::move(second_->bytes));
    stats_.Repaired();
    stats_.Record();
    return std::string_view(*repaired_).substr(0, length);
  }

  // For messages: the object that the bytes came from.
  std::string Origin() const {
    if (!second_) return "";
    return fmt::format(" (object {}, byte {}; read a second time{})", second_->object, second_->offset,
                       second_->bytes.empty() ? ": no bytes" : ", with the same result");
  }

  Result<std::optional<std::string_view>> EndOfFile() {
    if (buffer_.available() == 0) return std::nullopt;
    return Truncated(kHeaderBytes);
  }

  Result<std::optional<std::string_view>> Truncated(size_t wanted) {
    const size_t found = buffer_.available();
    if (!skips_.Spend())
      return Fail(ErrorCode::kDataLoss, "{}: record {} at byte {}: truncated: found {} bytes, wanted {}", name_,
                  position_.index, position_.offset, found, wanted);
    stats_.Skipped(found);
    buffer_.Consume(found);
    return std::nullopt;
  }

  Result<std::optional<std::string_view>> CorruptLength() const {
    return Fail(ErrorCode::kDataLoss,
                "{}: record {} at byte {}: corrupt length {}: its masked CRC32C is {:08x}, the file says {:08x}{}",
                name_, position_.index, position_.offset, Load<uint64_t>(buffer_.data()),
                MaskedCrc({buffer_.data(), kLengthBytes}), Load<uint32_t>(buffer_.data() + kLengthBytes), Origin());
  }

  Result<std::optional<std::string_view>> CorruptData(std::string_view data) const {
    return Fail(
        ErrorCode::kDataLoss,
        "{}: record {} at byte {}: corrupt data of {} bytes: its masked CRC32C is {:08x}, the file says {:08x}{}",
        name_, position_.index, position_.offset, data.size(), MaskedCrc(data),
        Load<uint32_t>(data.data() + data.size()), Origin());
  }

  // Moves on, byte by byte, to the next place whose length has a right checksum, or to the end.
  Status FindNextHeader() {
    const uint64_t start = buffer_.offset();
    while (true) {
      buffer_.Consume(1);
      HEADRACE_ASSIGN(const bool whole, buffer_.Need(kHeaderBytes));
      if (!whole) buffer_.Consume(buffer_.available());
      if (!whole || (IsHeader(buffer_.data()) && Load<uint64_t>(buffer_.data()) <= max_record_bytes_)) break;
    }
    stats_.Skipped(buffer_.offset() - start);
    ++next_index_;
    return {};
  }

  std::string name_;
  ReadAgain read_again_;                   // or null
  std::optional<SecondReading> second_;    // of the record in work
  std::shared_ptr<std::string> repaired_;  // the last record, when it comes from a second reading
  ReadBuffer buffer_;
  size_t max_record_bytes_;
  bool verify_;
  SkipBudget skips_;
  StatsCounter stats_;
  RecordPosition position_;
  uint64_t next_index_ = 0;
  size_t handed_out_ = 0;  // bytes of the frame whose data the caller still sees
};

}  // namespace

std::unique_ptr<RecordStream> ReadTFRecords(std::unique_ptr<ByteSource> source, std::string name,
                                            const ReaderOptions& options, ReadAgain read_again) {
  return std::make_unique<TFRecordStream>(std::move(source), std::move(name), options, std::move(read_again));
}

std::unique_ptr<RecordStream> ReadTFRecords(std::unique_ptr<ByteSource> source, std::string name,
                                            const ReaderOptions& options) {
  return ReadTFRecords(std::move(source), std::move(name), options, nullptr);
}

Result<std::unique_ptr<RecordStream>> OpenTFRecord(const std::string& path, const ReaderOptions& options,
                                                   StopFlag stop) {
  HEADRACE_ASSIGN(auto source, OpenBytes(path, options.compression, LooksLikeTFRecord, std::move(stop)));
  return ReadTFRecords(std::move(source), path, options);
}

struct TFRecordReader::Impl {
  std::unique_ptr<RecordStream> stream;
};

TFRecordReader::TFRecordReader(std::string path, ReaderOptions options)
    : impl_(std::make_unique<Impl>(Impl{ValueOrThrow(OpenTFRecord(path, options))})) {}
TFRecordReader::TFRecordReader(TFRecordReader&&) noexcept = default;
TFRecordReader& TFRecordReader::operator=(TFRecordReader&&) noexcept = default;
TFRecordReader::~TFRecordReader() = default;
std::optional<std::string_view> TFRecordReader::Next() { return ValueOrThrow(impl_->stream->Next()); }
RecordPosition TFRecordReader::position() const { return impl_->stream->position(); }

}  // namespace headrace::data
