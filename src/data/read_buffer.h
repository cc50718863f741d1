// ReadBuffer: a window that slides over a ByteSource. Bytes in it may be handed out without copying: whoever holds
// owner() keeps them, and the window then moves on to fresh memory instead of overwriting them.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "data/buffer_pool.h"
#include "data/byte_source.h"

namespace headrace::data {

class ReadBuffer {
 public:
  ReadBuffer(std::unique_ptr<ByteSource> source, size_t chunk_bytes);

  // Makes at least `wanted` bytes contiguous at data() and returns true; false when the stream ends before, available()
  // then says how many are left. Memory grows only as bytes arrive: a wrong `wanted` does not allocate it.
  Result<bool> Need(size_t wanted) {
    if (available() >= wanted) return true;
    return Fill(wanted);
  }
  const char* data() const { return begin_; }
  size_t available() const { return static_cast<size_t>(end_ - begin_); }
  void Consume(size_t bytes) {
    begin_ += bytes;
    offset_ += bytes;
  }
  uint64_t offset() const { return offset_; }  // of data() in the stream
  // Keeps every byte now in the window.
  const std::shared_ptr<void>& owner() {
    lent_ = true;
    return chunk_;
  }

 private:
  Result<bool> Fill(size_t wanted);
  void MoveTo(size_t capacity);

  std::unique_ptr<ByteSource> source_;
  size_t chunk_bytes_;
  BufferPool pool_;
  std::shared_ptr<void> chunk_;
  size_t capacity_ = 0;
  char* begin_ = nullptr;
  char* end_ = nullptr;
  uint64_t offset_ = 0;
  bool ended_ = false;
  bool lent_ = false;  // somebody may hold chunk_
};

}  // namespace headrace::data
