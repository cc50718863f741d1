// Memory for a body that arrives in pieces of unknown number.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace headrace::serving {

// Bytes that are not cleared first, aligned as a tensor's, with as many behind their end as simdjson may read.
class Buffer {
 public:
  static constexpr size_t kPadding = 64, kAlignment = 64;

  Buffer() = default;
  explicit Buffer(std::string_view bytes);  // a copy

  void Reserve(size_t size);
  // Free memory behind the bytes, of at least `least`: grown to twice the size at least, so that a byte is moved a few
  // times at most.
  std::span<char> Room(size_t least);
  void Filled(size_t count) { size_ += count; }  // of the room

  // The bytes behind the end become zeros: a reader of text stops there.
  void EndText();

  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }  // of bytes and padding
  std::string_view bytes() const { return {static_cast<const char*>(memory_.get()), size_}; }
  // The memory, for who keeps a view of it.
  const std::shared_ptr<void>& memory() const { return memory_; }

 private:
  std::shared_ptr<void> memory_;
  size_t size_ = 0, capacity_ = 0;
};

}  // namespace headrace::serving
