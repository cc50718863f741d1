#include "data/buffer_pool.h"

#include <cstdlib>
#include <mutex>
#include <vector>

#include "base/result.h"

namespace headrace::data {
namespace {

constexpr size_t kAlignment = 64;

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};
using Block = std::unique_ptr<void, Free>;

}  // namespace

// Blocks of one size; asking for another size drops the old ones.
struct BufferPool::State {
  std::mutex mutex;
  size_t bytes = 0, max_free;
  std::vector<Block> free;

  Block Take(size_t wanted) {
    {
      const std::lock_guard lock(mutex);
      if (wanted != bytes) {
        free.clear();
        bytes = wanted;
      }
      if (!free.empty()) {
        Block block = std::move(free.back());
        free.pop_back();
        return block;
      }
    }
    Block block(std::aligned_alloc(kAlignment, wanted));
    if (!block) throw MakeError(ErrorCode::kResourceExhausted, "cannot allocate a buffer of {} bytes", wanted);
    return block;
  }

  void Return(Block block, size_t size) {
    const std::lock_guard lock(mutex);
    if (size == bytes && free.size() < max_free) free.push_back(std::move(block));
  }
};

BufferPool::BufferPool(size_t max_free) : state_(std::make_shared<State>()) {
  state_->max_free = max_free;
  state_->free.reserve(max_free);
}

std::shared_ptr<void> BufferPool::Get(size_t bytes) {
  const size_t rounded = (bytes / kAlignment + 1) * kAlignment;
  Block block = state_->Take(rounded);
  return {block.release(), [state = state_, rounded](void* memory) { state->Return(Block(memory), rounded); }};
}

}  // namespace headrace::data
