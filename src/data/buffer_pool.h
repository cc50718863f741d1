// BufferPool: blocks of memory that come back when their last user lets go, so that a steady stream of batches or read
// buffers allocates nothing. Safe from several threads; blocks may outlive the pool.
#pragma once

#include <cstddef>
#include <memory>

namespace headrace::data {

class BufferPool {
 public:
  // Keeps at most `max_free` unused blocks.
  explicit BufferPool(size_t max_free = 8);
  // At least `bytes` of memory, 64-byte aligned, uninitialised.
  std::shared_ptr<void> Get(size_t bytes);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace headrace::data
