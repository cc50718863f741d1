// Input: the bytes of a connection that were received but not yet used, so that pipelined requests lose none.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace headrace::http {

class Input {
 public:
  std::string_view unread() const { return {bytes_.get() + begin_, end_ - begin_}; }
  void Consume(size_t n) {
    begin_ += n;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  // Room for more behind what is unread; at least one byte, and as much as keeps unread and room within `capacity`.
  // Empty when `capacity` bytes are unread already.
  std::span<char> Room(size_t capacity) {
    const size_t kept = end_ - begin_;
    if (kept >= capacity) return {};
    if (size_ < capacity) {
      auto larger = std::make_unique_for_overwrite<char[]>(capacity);
      std::copy_n(bytes_.get() + begin_, kept, larger.get());
      bytes_ = std::move(larger);
      size_ = capacity;
    } else if (begin_ > 0) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, kept);
    }
    begin_ = 0;
    end_ = kept;
    return {bytes_.get() + end_, size_ - end_};
  }
  void Filled(size_t n) { end_ += n; }
  // Gives memory back between requests.
  void Shrink() {
    if (begin_ == end_) {
      bytes_.reset();
      size_ = begin_ = end_ = 0;
    }
  }

 private:
  std::unique_ptr<char[]> bytes_ = std::make_unique<char[]>(0);
  size_t size_ = 0, begin_ = 0, end_ = 0;
};

}  // namespace headrace::http
