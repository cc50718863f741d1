#include "serving/codec/buffer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace headrace::serving {

Buffer::Buffer(std::string_view bytes) {
  Reserve(bytes.size());
  if (!bytes.empty()) std::memcpy(memory_.get(), bytes.data(), bytes.size());
  size_ = bytes.size();
}

void Buffer::Reserve(size_t size) {
  const size_t wanted = (size + kPadding + kAlignment - 1) / kAlignment * kAlignment;
  if (memory_ && capacity_ >= wanted) return;
  void* grown = std::aligned_alloc(kAlignment, wanted);
  if (grown == nullptr) throw std::bad_alloc();
  if (size_ > 0) std::memcpy(grown, memory_.get(), size_);
  memory_ = std::shared_ptr<void>(grown, std::free);
  capacity_ = wanted;
}

void Buffer::EndText() {
  Reserve(size_);
  std::memset(static_cast<char*>(memory_.get()) + size_, 0, kPadding);
}

std::span<char> Buffer::Room(size_t least) {
  if (capacity_ < size_ + least + kPadding) Reserve(std::max(2 * size_, size_ + least));
  return {static_cast<char*>(memory_.get()) + size_, capacity_ - kPadding - size_};
}

}  // namespace headrace::serving
