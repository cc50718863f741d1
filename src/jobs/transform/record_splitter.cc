#include "jobs/transform/record_splitter.h"

#include <algorithm>

#include "data/recordio_format.h"
#include "data/tfrecord_format.h"

namespace headrace::jobs {
namespace {

namespace recordio = data::recordio;
namespace tfrecord = data::tfrecord;

constexpr size_t kPieceBytes = size_t{256} << 10;

}  // namespace

Result<bool> RecordSplitter::Need(size_t size) {
  while (buffer_.size() - begin_ < size) {
    if (ended_) return false;
    if (begin_ > 0) {
      buffer_.erase(0, begin_);
      begin_ = 0;
    }
    const size_t have = buffer_.size();
    // Memory grows with what is there, not with what a length says.
    const size_t more = std::max(kPieceBytes, std::min(size - have, have));
    buffer_.resize(have + more);
    const auto read = read_(buffer_.data() + have, more);
    buffer_.resize(have + read.value_or(0));
    if (!read) return tl::unexpected<Error>(read.error());
    ended_ = *read == 0;
  }
  return true;
}

RecordSplitter::Record RecordSplitter::Take(size_t framed, std::string_view payload) {
  taken_ = framed;
  ++count_;
  return {Window().substr(0, framed), payload};
}

tl::unexpected<Error> RecordSplitter::TooLarge(uint64_t found) const {
  return Fail(ErrorCode::kResourceExhausted,
              "record {} at byte {} has {}{} bytes, more than MaxPayloadInMB allows ({} bytes)", count_ + 1, offset_,
              split_ == SplitType::kNone || split_ == SplitType::kLine ? "at least " : "", found, limit_);
}

tl::unexpected<Error> RecordSplitter::Truncated() const {
  return Fail(ErrorCode::kDataLoss, "record {} at byte {} is truncated: the object ends inside of it", count_ + 1,
              offset_);
}

Result<std::optional<RecordSplitter::Record>> RecordSplitter::Next() {
  begin_ += taken_;
  offset_ += std::exchange(taken_, 0);
  switch (split_) {
    case SplitType::kLine:
      return Line();
    case SplitType::kRecordIO:
      return RecordIO();
    case SplitType::kTFRecord:
      return TFRecord();
    case SplitType::kNone:
      break;
  }
  return Whole();
}

Result<std::optional<RecordSplitter::Record>> RecordSplitter::Whole() {
  HEADRACE_ASSIGN(const bool more, Need(limit_ + 1));
  if (more) return TooLarge(Window().size());
  if (Window().empty()) return std::nullopt;
  return Take(Window().size(), Window());
}

Result<std::optional<RecordSplitter::Record>> RecordSplitter::Line() {
  size_t searched = 0;
  while (true) {
    const size_t end = Window().find('\n', searched);
    const bool found = end != std::string_view::npos;
    if (!found) {
      searched = Window().size();
      if (searched > limit_ + 1) return TooLarge(searched);
      HEADRACE_ASSIGN(const bool more, Need(searched + 1));
      if (more) continue;
      if (Window().empty()) return std::nullopt;
    }
    const size_t framed = found ? end + 1 : Window().size();
    std::string_view line = Window().substr(0, found ? end : framed);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > limit_) return TooLarge(line.size());
    if (!line.empty()) return Take(framed, line);
    begin_ += framed;
    offset_ += framed;
    searched = 0;
  }
}

Result<std::optional<RecordSplitter::Record>> RecordSplitter::TFRecord() {
  HEADRACE_ASSIGN(const bool any, Need(1));
  if (!any) return std::nullopt;
  HEADRACE_ASSIGN(const bool header, Need(tfrecord::kHeaderBytes));
  if (!header) return Truncated();
  const auto length = tfrecord::Load<uint64_t>(Window().data());
  if (!tfrecord::IsHeader(Window().data()))
    return Fail(ErrorCode::kDataLoss, "record {} at byte {} is no TFRecord: the checksum of its length is wrong",
                count_ + 1, offset_);
  if (length > limit_) return TooLarge(length);
  const size_t framed = tfrecord::kHeaderBytes + static_cast<size_t>(length) + tfrecord::kFooterBytes;
  HEADRACE_ASSIGN(const bool complete, Need(framed));
  if (!complete) return Truncated();
  const auto payload = Window().substr(tfrecord::kHeaderBytes, static_cast<size_t>(length));
  if (tfrecord::Load<uint32_t>(Window().data() + framed - tfrecord::kFooterBytes) != tfrecord::MaskedCrc(payload))
    return Fail(ErrorCode::kDataLoss, "record {} at byte {}: the checksum of its data is wrong", count_ + 1, offset_);
  return Take(framed, payload);
}

Result<std::optional<RecordSplitter::Record>> RecordSplitter::RecordIO() {
  HEADRACE_ASSIGN(const bool any, Need(1));
  if (!any) return std::nullopt;
  joined_.clear();
  size_t framed = 0;
  uint64_t payload_bytes = 0;
  while (true) {
    HEADRACE_ASSIGN(const bool header, Need(framed + recordio::kHeaderBytes));
    if (!header) return Truncated();
    const auto magic = tfrecord::Load<uint32_t>(Window().data() + framed);
    const auto word = tfrecord::Load<uint32_t>(Window().data() + framed + 4);
    const uint32_t flag = word >> 29, length = word & recordio::kLengthMask;
    const bool first = framed == 0;
    const bool fits = first ? flag == recordio::kWhole || flag == recordio::kFirst
                            : flag == recordio::kMiddle || flag == recordio::kLast;
    if (magic != recordio::kMagic || !fits)
      return Fail(ErrorCode::kDataLoss, "record {} at byte {} is no RecordIO: found {:08x} {:08x} at byte {}",
                  count_ + 1, offset_, magic, word, offset_ + framed);
    payload_bytes += length + (first ? 0 : sizeof magic);
    if (payload_bytes > limit_) return TooLarge(payload_bytes);
    const size_t part = framed + recordio::kHeaderBytes;
    framed = part + recordio::Padded(length);
    HEADRACE_ASSIGN(const bool complete, Need(framed));
    if (!complete) return Truncated();
    if (flag == recordio::kWhole) return Take(framed, Window().substr(part, length));
    if (!first) joined_.append(reinterpret_cast<const char*>(&recordio::kMagic), sizeof recordio::kMagic);
    joined_.append(Window().substr(part, length));
    if (flag == recordio::kLast) return Take(framed, joined_);
  }
}

}  // namespace headrace::jobs
