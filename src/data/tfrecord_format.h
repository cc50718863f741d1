// The frame of a TFRecord: uint64 length, uint32 masked CRC32C of those 8 bytes, data, uint32 masked CRC32C of the
// data; little-endian. (tensorflow/core/lib/io/record_writer.h)
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "headrace/data.h"

namespace headrace::data::tfrecord {

static_assert(std::endian::native == std::endian::little, "the file formats are read and written in place");

inline constexpr size_t kLengthBytes = 8, kCrcBytes = 4, kHeaderBytes = 12, kFooterBytes = 4;

template <typename T>
T Load(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

inline uint32_t MaskedCrc(std::string_view bytes) { return MaskCrc(Crc32c(bytes)); }

// Whether the 12 bytes at `bytes` are a length and its checksum.
inline bool IsHeader(const char* bytes) {
  return Load<uint32_t>(bytes + kLengthBytes) == MaskedCrc({bytes, kLengthBytes});
}

}  // namespace headrace::data::tfrecord
