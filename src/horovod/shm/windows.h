// Windows: memory that every rank of a machine can fill for its neighbours, piece by piece, and the signals that say
// so. For the background threads, which all do the same collectives in the same order.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "horovod/shm/machine.h"
#include "horovod/shm/segment.h"

namespace headrace::hvd {

class Windows {
 public:
  static constexpr size_t kBytes = size_t{512} << 10;  // of one window: two of them lie in a second level cache
  static size_t BytesFor(int members);

  Windows(Segment segment, Machine& machine);

  // Each member has two.
  std::byte* in(int member) const { return at(2 * member); }
  std::byte* out(int member) const { return at(2 * member + 1); }

  // Until all of `members` (indices, ascending, this rank's among them) have come here. What they wrote before is seen
  // after. `what` is for messages: "allreduce \"loss\"". An error of `interrupted` ends the wait.
  Status Barrier(const std::vector<int>& members, const std::string& what, const std::function<Status()>& interrupted);

 private:
  std::byte* at(int window) const { return segment_.data() + static_cast<size_t>(window) * kBytes; }
  Flag& signal(int from, int to) const;

  Segment segment_;
  Machine& machine_;
  std::vector<uint64_t> sent_, seen_;  // by member
};

}  // namespace headrace::hvd
