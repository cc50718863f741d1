// Arena: one allocation for every buffer of a plan. Buffers whose lifetimes do not overlap share bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace headrace::keras::internal {

using BufferId = int;
inline constexpr BufferId kNoBuffer = -1;

class Arena {
 public:
  // A buffer that holds nothing yet.
  BufferId Add(size_t bytes);
  // The buffer's contents matter at `time` (any integer; larger is later).
  void Use(BufferId buffer, int time);
  // Places every buffer and allocates. Buffers never used get no bytes.
  void Allocate();

  void* At(BufferId buffer) const { return base_.get() + buffers_[buffer].offset; }
  size_t bytes() const { return bytes_; }

 private:
  struct Buffer {
    size_t bytes = 0, offset = 0;
    int first = 0, last = -1;  // last < first: never used
    bool used() const { return last >= first; }
    bool Overlaps(const Buffer& other) const { return first <= other.last && other.first <= last; }
  };
  size_t LowestOffset(const Buffer& buffer, const std::vector<const Buffer*>& placed) const;

  struct Free {
    void operator()(char* memory) const;
  };
  std::vector<Buffer> buffers_;
  std::unique_ptr<char, Free> base_;
  size_t bytes_ = 0;
};

}  // namespace headrace::keras::internal
