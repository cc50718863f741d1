#include "store/meta/sample_block.h"

#include <bit>
#include <cstring>

namespace headrace::store {
namespace {

static_assert(std::endian::native == std::endian::little, "doubles are written as they lie in memory");

bool SameBits(double a, double b) { return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b); }

bool IsOneValue(const MetricSample& sample) {
  return sample.count == 1 && SameBits(sample.sum, sample.minimum) && SameBits(sample.sum, sample.maximum);
}

void AppendVarint(std::string& bytes, uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
}

void AppendDouble(std::string& bytes, double value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  bytes.append(raw, sizeof value);
}

}  // namespace

void SampleBlockWriter::Append(const MetricSample& sample) {
  const bool short_form = IsOneValue(sample) && sample.unit == unit_;
  AppendVarint(bytes_, static_cast<uint64_t>(sample.time - time_) << 1 | (short_form ? 1 : 0));
  if (!short_form) {
    AppendVarint(bytes_, sample.unit.size());
    bytes_ += sample.unit;
    AppendDouble(bytes_, sample.count);
    AppendDouble(bytes_, sample.minimum);
    AppendDouble(bytes_, sample.maximum);
    unit_ = sample.unit;
  }
  AppendDouble(bytes_, sample.sum);
  time_ = sample.time;
  ++samples_;
}

bool SampleBlockReader::Take(double& value) {
  if (rest_.size() < sizeof value) return false;
  std::memcpy(&value, rest_.data(), sizeof value);
  rest_.remove_prefix(sizeof value);
  return true;
}

bool SampleBlockReader::TakeVarint(uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) return false;
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool SampleBlockReader::TakeStatisticSet() {
  uint64_t length = 0;
  if (!TakeVarint(length) || length > rest_.size()) return false;
  sample_.unit.assign(rest_.data(), static_cast<size_t>(length));
  rest_.remove_prefix(static_cast<size_t>(length));
  return Take(sample_.count) && Take(sample_.minimum) && Take(sample_.maximum) && Take(sample_.sum);
}

const MetricSample* SampleBlockReader::Broken() {
  broken_ = true;
  rest_ = {};
  return nullptr;
}

const MetricSample* SampleBlockReader::Next() {
  if (rest_.empty()) return nullptr;
  uint64_t tag = 0;
  if (!TakeVarint(tag)) return Broken();
  sample_.time = static_cast<UnixMillis>(static_cast<uint64_t>(sample_.time) + (tag >> 1));
  if ((tag & 1) == 0) {
    if (!TakeStatisticSet()) return Broken();
  } else {
    if (!Take(sample_.sum)) return Broken();
    sample_.count = 1;
    sample_.minimum = sample_.maximum = sample_.sum;
  }
  ++samples_;
  return &sample_;
}

SampleBlockWriter SampleBlockReader::Continued() const {
  SampleBlockWriter writer(start_);
  writer.time_ = sample_.time;
  writer.unit_ = sample_.unit;
  writer.samples_ = samples_;
  writer.bytes_ = bytes_;
  return writer;
}

}  // namespace headrace::store
