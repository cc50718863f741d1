// Just enough of protobuf's wire format to read and write tf.Example in place.
// (https://protobuf.dev/programming-guides/encoding)
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace headrace::data::wire {

enum Type : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// One field of a message: its number, and either a number or a stretch of bytes.
struct Field {
  uint32_t number = 0;
  Type type = kVarint;
  uint64_t value = 0;      // kVarint
  std::string_view bytes;  // kBytes; the 4 or 8 raw bytes of kFixed32 and kFixed64
};

// Reads a message field by field; every getter is false on bytes that are none, and nothing is read past the end.
class Reader {
 public:
  explicit Reader(std::string_view message) : rest_(message) {}
  bool done() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  bool ReadVarint(uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 70 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  bool ReadField(Field& field) {
    uint64_t tag = 0;
    if (!ReadVarint(tag) || tag > UINT32_MAX || tag < 8) return false;
    field.number = static_cast<uint32_t>(tag >> 3);
    field.type = static_cast<Type>(tag & 7);
    switch (field.type) {
      case kVarint:
        return ReadVarint(field.value);
      case kFixed64:
        return Take(8, field.bytes);
      case kFixed32:
        return Take(4, field.bytes);
      case kBytes: {
        uint64_t length = 0;
        return ReadVarint(length) && Take(length, field.bytes);
      }
      default:
        return false;  // groups, which proto3 never writes
    }
  }

 private:
  bool Take(uint64_t length, std::string_view& bytes) {
    if (length > rest_.size()) return false;
    bytes = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return true;
  }

  std::string_view rest_;
};

inline void AppendVarint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80u);
  out += static_cast<char>(value);
}

inline void AppendBytes(std::string& out, uint32_t number, std::string_view bytes) {
  AppendVarint(out, uint64_t{number} << 3 | kBytes);
  AppendVarint(out, bytes.size());
  out += bytes;
}

}  // namespace headrace::data::wire
