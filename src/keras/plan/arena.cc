#include "keras/plan/arena.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <sys/mman.h>

#include "base/result.h"

namespace headrace::keras::internal {
namespace {

constexpr size_t kAlignment = 4096;

size_t RoundUp(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

void Arena::Free::operator()(char* memory) const { std::free(memory); }

BufferId Arena::Add(size_t bytes) {
  buffers_.push_back({RoundUp(bytes), 0, 0, -1});
  return static_cast<BufferId>(buffers_.size()) - 1;
}

void Arena::Use(BufferId buffer, int time) {
  if (buffer == kNoBuffer) return;
  Buffer& b = buffers_[buffer];
  b.first = b.used() ? std::min(b.first, time) : time;
  b.last = std::max(b.last, time);
}

// Largest first, each at the lowest offset free during its whole life: close to the optimum for chains.
void Arena::Allocate() {
  std::vector<Buffer*> order;
  for (Buffer& buffer : buffers_)
    if (buffer.used()) order.push_back(&buffer);
  std::stable_sort(order.begin(), order.end(), [](const Buffer* a, const Buffer* b) { return a->bytes > b->bytes; });
  std::vector<const Buffer*> placed;
  for (Buffer* buffer : order) {
    buffer->offset = LowestOffset(*buffer, placed);
    bytes_ = std::max(bytes_, buffer->offset + buffer->bytes);
    placed.push_back(buffer);
    std::sort(placed.begin(), placed.end(), [](const Buffer* a, const Buffer* b) { return a->offset < b->offset; });
  }
  constexpr size_t kHugePage = size_t{2} << 20;
  base_.reset(static_cast<char*>(std::aligned_alloc(kHugePage, (bytes_ + kHugePage) / kHugePage * kHugePage)));
  if (!base_) throw MakeError(ErrorCode::kResourceExhausted, "cannot allocate {} bytes for the execution plan", bytes_);
  madvise(base_.get(), bytes_, MADV_HUGEPAGE);  // fewer TLB misses; a kernel without huge pages ignores it
  std::memset(base_.get(), 0, bytes_);          // pages are there before the first step
}

size_t Arena::LowestOffset(const Buffer& buffer, const std::vector<const Buffer*>& placed) const {
  size_t offset = 0;
  for (const Buffer* other : placed) {  // by offset
    if (!buffer.Overlaps(*other)) continue;
    if (offset + buffer.bytes <= other->offset) break;
    offset = std::max(offset, other->offset + other->bytes);
  }
  return offset;
}

}  // namespace headrace::keras::internal
