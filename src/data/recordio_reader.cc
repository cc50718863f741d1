#include "data/record_stream.h"
#include "data/recordio_format.h"
#include "data/tfrecord_format.h"

namespace headrace::data {
namespace {

using recordio::kFirst, recordio::kLast, recordio::kLengthMask, recordio::kMagic, recordio::kMiddle, recordio::kWhole;
using recordio::Padded;
using tfrecord::Load;

bool LooksLikeRecordIO(std::string_view first) { return first.size() >= 4 && Load<uint32_t>(first.data()) == kMagic; }

class RecordIOStream : public RecordStream {
 public:
  RecordIOStream(std::unique_ptr<ByteSource> source, std::string name, const ReaderOptions& options)
      : name_(std::move(name)),
        buffer_(std::move(source), options.buffer_bytes),
        max_record_bytes_(std::min(options.max_record_bytes, kLargestLimit)),
        skips_(options),
        stats_(options.stats) {}

  Result<std::optional<std::string_view>> Next() override {
    while (true) {
      buffer_.Consume(std::exchange(handed_out_, 0));
      position_ = {next_index_, buffer_.offset()};
      const uint64_t start = buffer_.offset();
      auto record = ReadRecord();
      if (record && !*record) return std::nullopt;
      ++next_index_;
      if (record) stats_.Record();
      if (record || record.error().code() != ErrorCode::kDataLoss || !skips_.Spend()) return record;
      HEADRACE_TRY(FindNextRecord(start));
    }
  }

  Result<int64_t> Skip(int64_t count) override {
    for (int64_t skipped = 0; skipped < count; ++skipped) {
      HEADRACE_ASSIGN(const auto record, Next());
      if (!record) return skipped;
    }
    return count;
  }

  std::shared_ptr<void> owner() override {
    if (joined_) return joined_;
    return buffer_.owner();
  }
  bool HasMore() const override { return buffer_.available() > handed_out_; }
  RecordPosition position() const override { return position_; }

 private:
  struct Part {
    uint32_t flag = kWhole;
    std::string_view data;
  };

  // A whole record straight from the buffer, or its parts joined.
  Result<std::optional<std::string_view>> ReadRecord() {
    joined_.reset();
    HEADRACE_ASSIGN(const bool any, buffer_.Need(1));
    if (!any) return std::nullopt;
    HEADRACE_ASSIGN(Part part, ReadPart(0));
    if (part.flag == kWhole) return part.data;
    if (part.flag != kFirst) return BadFlag(part.flag, "0 or 1 at the start of a record");
    joined_ = std::make_shared<std::string>(part.data);
    while (part.flag != kLast) {
      buffer_.Consume(std::exchange(handed_out_, 0));
      HEADRACE_ASSIGN(part, ReadPart(joined_->size() + sizeof kMagic));
      if (part.flag != kMiddle && part.flag != kLast) return BadFlag(part.flag, "2 or 3 inside a record");
      joined_->append(reinterpret_cast<const char*>(&kMagic), sizeof kMagic);
      joined_->append(part.data);
    }
    return std::string_view(*joined_);
  }

  // `before`: bytes of the record that are already there, for the limit.
  Result<Part> ReadPart(size_t before) {
    HEADRACE_ASSIGN(const bool header, buffer_.Need(recordio::kHeaderBytes));
    if (!header) return Truncated(recordio::kHeaderBytes);
    const auto magic = Load<uint32_t>(buffer_.data()), word = Load<uint32_t>(buffer_.data() + 4);
    if (magic != kMagic)
      return Fail(ErrorCode::kDataLoss, "{}: found {:08x}, wanted the magic number {:08x}", Where(), magic, kMagic);
    const size_t length = word & kLengthMask;
    if (before + length > max_record_bytes_)
      return Fail(ErrorCode::kResourceExhausted, "{}: length {} exceeds the limit of {} bytes", Where(),
                  before + length, max_record_bytes_);
    const size_t frame = recordio::kHeaderBytes + Padded(length);
    HEADRACE_ASSIGN(const bool complete, buffer_.Need(frame));
    if (!complete) return Truncated(frame);
    handed_out_ = frame;
    return Part{word >> 29, {buffer_.data() + recordio::kHeaderBytes, length}};
  }

  std::string Where() const {
    if (buffer_.offset() == position_.offset)
      return fmt::format("{}: record {} at byte {}", name_, position_.index, position_.offset);
    return fmt::format("{}: record {} at byte {}, part at byte {}", name_, position_.index, position_.offset,
                       buffer_.offset());
  }

  tl::unexpected<Error> Truncated(size_t wanted) const {
    return Fail(ErrorCode::kDataLoss, "{}: truncated: found {} bytes, wanted {}", Where(), buffer_.available(), wanted);
  }

  tl::unexpected<Error> BadFlag(uint32_t flag, const char* wanted) const {
    return Fail(ErrorCode::kDataLoss, "{}: found the flag {}, wanted {}", Where(), flag, wanted);
  }

  // Moves on to the next magic number, four-byte aligned as the writer keeps it, that starts a record; or to the end.
  Status FindNextRecord(uint64_t start) {
    handed_out_ = 0;
    while (true) {
      const size_t step = 4 - static_cast<size_t>(buffer_.offset() % 4);
      HEADRACE_ASSIGN(const bool whole, buffer_.Need(step + recordio::kHeaderBytes));
      buffer_.Consume(whole ? step : buffer_.available());
      if (!whole || StartsRecord(buffer_.data())) break;
    }
    stats_.Skipped(buffer_.offset() - start);
    return {};
  }

  static bool StartsRecord(const char* bytes) {
    return Load<uint32_t>(bytes) == kMagic && Load<uint32_t>(bytes + 4) >> 29 <= kFirst;
  }

  std::string name_;
  ReadBuffer buffer_;
  size_t max_record_bytes_;
  SkipBudget skips_;
  StatsCounter stats_;
  RecordPosition position_;
  uint64_t next_index_ = 0;
  size_t handed_out_ = 0;                // bytes of the frame whose data the caller still sees
  std::shared_ptr<std::string> joined_;  // the last record, when it came in parts
};

}  // namespace

std::unique_ptr<RecordStream> ReadRecordIO(std::unique_ptr<ByteSource> source, std::string name,
                                           const ReaderOptions& options) {
  return std::make_unique<RecordIOStream>(std::move(source), std::move(name), options);
}

Result<std::unique_ptr<RecordStream>> OpenRecordIO(const std::string& path, const ReaderOptions& options,
                                                   StopFlag stop) {
  HEADRACE_ASSIGN(auto source, OpenBytes(path, options.compression, LooksLikeRecordIO, std::move(stop)));
  return ReadRecordIO(std::move(source), path, options);
}

struct RecordIOReader::Impl {
  std::unique_ptr<RecordStream> stream;
};

RecordIOReader::RecordIOReader(std::string path, ReaderOptions options)
    : impl_(std::make_unique<Impl>(Impl{ValueOrThrow(OpenRecordIO(path, options))})) {}
RecordIOReader::RecordIOReader(RecordIOReader&&) noexcept = default;
RecordIOReader& RecordIOReader::operator=(RecordIOReader&&) noexcept = default;
RecordIOReader::~RecordIOReader() = default;
std::optional<std::string_view> RecordIOReader::Next() { return ValueOrThrow(impl_->stream->Next()); }
RecordPosition RecordIOReader::position() const { return impl_->stream->position(); }

}  // namespace headrace::data
