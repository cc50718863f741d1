#include "jobs/transform/record_splitter.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace headrace::jobs {
namespace {

constexpr size_t kPieceBytes = size_t{256} << 10;

// TFRecord: uint64 length, uint32 masked CRC32C of it, payload, uint32 masked CRC32C of the payload.
constexpr size_t kTFRecordHeader = 12, kTFRecordFooter = 4;
// RecordIO: uint32 magic, uint32 of which the upper 3 bits are a flag and the rest the length, payload, zeros up to a
// multiple of four. A payload that holds the magic at such a multiple is cut there, without it, into parts.
constexpr uint32_t kRecordIOMagic = 0xced7230a;
constexpr size_t kRecordIOHeader = 8;
enum PartFlag : uint32_t { kWholeRecord = 0, kFirstPart = 1, kMiddlePart = 2, kLastPart = 3 };

template <typename T>
T LoadLittle(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

constexpr std::array<uint32_t, 256> MakeCrc32cTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
    table[i] = crc;
  }
  return table;
}

uint32_t MaskedCrc32c(std::string_view bytes) {
  static constexpr auto kTable = MakeCrc32cTable();
  uint32_t crc = ~0u;
  for (const char c : bytes) crc = kTable[(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ (crc >> 8);
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

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
  HEADRACE_ASSIGN(const bool header, Need(kTFRecordHeader));
  if (!header) return Truncated();
  const auto length = LoadLittle<uint64_t>(Window().data());
  if (LoadLittle<uint32_t>(Window().data() + 8) != MaskedCrc32c(Window().substr(0, 8)))
    return Fail(ErrorCode::kDataLoss, "record {} at byte {} is no TFRecord: the checksum of its length is wrong",
                count_ + 1, offset_);
  if (length > limit_) return TooLarge(length);
  const size_t framed = kTFRecordHeader + static_cast<size_t>(length) + kTFRecordFooter;
  HEADRACE_ASSIGN(const bool complete, Need(framed));
  if (!complete) return Truncated();
  const auto payload = Window().substr(kTFRecordHeader, static_cast<size_t>(length));
  if (LoadLittle<uint32_t>(Window().data() + framed - kTFRecordFooter) != MaskedCrc32c(payload))
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
    HEADRACE_ASSIGN(const bool header, Need(framed + kRecordIOHeader));
    if (!header) return Truncated();
    const auto magic = LoadLittle<uint32_t>(Window().data() + framed);
    const auto word = LoadLittle<uint32_t>(Window().data() + framed + 4);
    const uint32_t flag = word >> 29, length = word & ((1u << 29) - 1);
    const bool first = framed == 0;
    const bool fits = first ? flag == kWholeRecord || flag == kFirstPart : flag == kMiddlePart || flag == kLastPart;
    if (magic != kRecordIOMagic || !fits)
      return Fail(ErrorCode::kDataLoss, "record {} at byte {} is no RecordIO: found {:08x} {:08x} at byte {}",
                  count_ + 1, offset_, magic, word, offset_ + framed);
    payload_bytes += length + (first ? 0 : sizeof magic);
    if (payload_bytes > limit_) return TooLarge(payload_bytes);
    const size_t part = framed + kRecordIOHeader;
    framed = part + (length + 3) / 4 * 4;
    HEADRACE_ASSIGN(const bool complete, Need(framed));
    if (!complete) return Truncated();
    if (flag == kWholeRecord) return Take(framed, Window().substr(part, length));
    if (!first) joined_.append(reinterpret_cast<const char*>(&kRecordIOMagic), sizeof kRecordIOMagic);
    joined_.append(Window().substr(part, length));
    if (flag == kLastPart) return Take(framed, joined_);
  }
}

}  // namespace headrace::jobs
