// BodyMemory: how much all request bodies that wait in memory may take together, so that many large or half-sent ones
// cannot take the machine's.
#pragma once

#include <atomic>
#include <cstddef>

namespace headrace::aws {

class BodyMemory {
 public:
  explicit BodyMemory(size_t most) : most_(most) {}

  // The share of one request, given back when it goes.
  class Share {
   public:
    explicit Share(BodyMemory& memory) : memory_(&memory) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { memory_->taken_ -= bytes_; }
    // False when there is no room: nothing is taken then. What is small is always given.
    bool Grow(size_t bytes) {
      constexpr size_t kSmall = size_t{64} << 10;
      if (memory_->taken_.fetch_add(bytes) + bytes > memory_->most_ && bytes_ + bytes > kSmall) {
        memory_->taken_ -= bytes;
        return false;
      }
      bytes_ += bytes;
      return true;
    }

   private:
    BodyMemory* memory_;
    size_t bytes_ = 0;
  };

  size_t taken() const { return taken_; }

 private:
  const size_t most_;
  std::atomic<size_t> taken_ = 0;
};

}  // namespace headrace::aws
