// Shortcut: a named allreduce that the ranks of a machine have asked for before, in the same way. Who asks for it again
// negotiates nothing: each copies its values to where its neighbours read them, and who sees everybody's adds up.
//
// A rank that asks for something else under the name, or joins, takes the shortcut back from all through rank 0. It has
// not copied its values then and never will, so no rank can finish what others have begun: they ask anew.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "horovod/communicator.h"
#include "horovod/shm/machine.h"

namespace headrace::hvd {

class Shortcut {
 public:
  static constexpr size_t kRoom = size_t{1} << 20;  // of one rank, for all shortcuts
  // Of a rank's room. 0: nothing for a shortcut. Larger tensors are as fast without.
  static size_t BytesFor(const Collective& collective, size_t members);

  // `rooms`: of all members, one after another, zeros where this one's place is. `described`: what all have asked for.
  Shortcut(const Collective& described, std::byte* rooms, size_t offset, Machine& machine);

  // Whether `collective` is what all have asked for.
  bool Serves(const Collective& collective) const;
  // This rank's values are there. Its memory is the caller's until Finish().
  void Begin(const Collective& collective);
  const std::optional<Collective>& under_way() const { return under_way_; }
  void Forget() { under_way_.reset(); }
  // Whether the values of all are there. Any thread, as the next ones.
  bool IsComplete() const;
  std::vector<int> Missing() const;
  // Writes the sums. Only when it is complete.
  void Finish() const;

  void TakeBack() { taken_back_.store(true); }
  bool is_taken_back() const { return taken_back_.load(); }

 private:
  Flag& arrived(int member) const { return *reinterpret_cast<Flag*>(place(member)); }
  // Two in turn: a rank writes the next values while others still add up these ones.
  std::byte* values(int member) const { return place(member) + sizeof(Flag) + (round_ % 2) * bytes_; }
  std::byte* place(int member) const { return rooms_ + static_cast<size_t>(member) * kRoom + offset_; }

  const Collective described_;
  std::byte* const rooms_;
  const size_t offset_, bytes_;
  Machine& machine_;
  std::atomic<uint64_t> round_{0};
  std::optional<Collective> under_way_;
  std::atomic<bool> taken_back_{false};
};

}  // namespace headrace::hvd
