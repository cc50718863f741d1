#include "data/read_buffer.h"

#include <algorithm>
#include <cstring>

namespace headrace::data {

ReadBuffer::ReadBuffer(std::unique_ptr<ByteSource> source, size_t chunk_bytes)
    : source_(std::move(source)), chunk_bytes_(std::max<size_t>(chunk_bytes, 64)) {}

// Puts what is left at the front of a chunk of `capacity` bytes: this one when nobody else sees it and it fits.
void ReadBuffer::MoveTo(size_t capacity) {
  const size_t left = available();
  if (!lent_ && capacity_ >= capacity) {
    std::memmove(chunk_.get(), begin_, left);
  } else {
    auto chunk = pool_.Get(capacity);
    if (left > 0) std::memcpy(chunk.get(), begin_, left);
    chunk_ = std::move(chunk);
    capacity_ = capacity;
    lent_ = false;
  }
  begin_ = static_cast<char*>(chunk_.get());
  end_ = begin_ + left;
}

Result<bool> ReadBuffer::Fill(size_t wanted) {
  while (available() < wanted && !ended_) {
    char* base = static_cast<char*>(chunk_.get());
    const bool full = end_ == base + capacity_;
    if (full || (begin_ != base && begin_ + wanted > base + capacity_)) {
      MoveTo(std::max(chunk_bytes_, 2 * available()));
      base = static_cast<char*>(chunk_.get());
    }
    HEADRACE_ASSIGN(const size_t n, source_->Read(end_, static_cast<size_t>(base + capacity_ - end_)));
    end_ += n;
    ended_ = n == 0;
  }
  return available() >= wanted;
}

}  // namespace headrace::data
