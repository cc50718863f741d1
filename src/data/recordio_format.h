// The frame of RecordIO: uint32 magic, uint32 (flag << 29 | length), data, zeros up to a multiple of four bytes;
// little-endian. A record whose data holds the magic at a multiple of four bytes is written in parts, cut there and
// without those four bytes; the flag says which part it is. (dmlc/recordio.h)
#pragma once

#include <cstddef>
#include <cstdint>

namespace headrace::data::recordio {

inline constexpr uint32_t kMagic = 0xced7230au;
inline constexpr size_t kHeaderBytes = 8;
inline constexpr uint32_t kLengthMask = (1u << 29) - 1;

enum Flag : uint32_t { kWhole = 0, kFirst = 1, kMiddle = 2, kLast = 3 };  // 4 to 7 do not occur

constexpr size_t Padded(size_t bytes) { return (bytes + 3) / 4 * 4; }

}  // namespace headrace::data::recordio
