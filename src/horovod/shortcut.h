// Shortcut: a named allreduce that all ranks have asked for before, in the same way. Who asks for it again negotiates
// nothing: each copies its values to where its neighbours read them, and who sees everybody's adds up. Where there are
// several machines, the leader of each exchanges its machine's sum with the others' leaders first, in a lane that this
// shortcut has for itself.
//
// A rank that asks for something else under the name, or joins, takes the shortcut back from all through rank 0, with
// the number of rounds that it has begun. Up to that round all ranks have begun, and end; nobody can finish the next
// one, which others may have begun: they ask anew.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "horovod/communicator.h"
#include "horovod/machine_links.h"
#include "horovod/shm/machine.h"

namespace headrace::hvd {

// What there is for shortcuts: bytes for each rank, ranks of the largest machine, machines.
struct ShortcutPlaces {
  size_t room = 0, members = 1, machines = 1;
};

class Shortcut {
 public:
  static constexpr size_t kRoom = size_t{1} << 20;  // of one rank, for all shortcuts
  static Lane LaneAt(size_t place) {
    return static_cast<Lane>(static_cast<size_t>(Lane::kFirstShortcut) + place / sizeof(Flag));
  }
  // Of a rank's room. 0: nothing for a shortcut. Larger tensors are as fast without.
  static size_t BytesFor(const Collective& collective, const ShortcutPlaces& places);

  // `rooms`: of all members, one after another, zeros where this one's place is. `described`: what all have asked for.
  // `ranks`: of all machines. `links`: a leader's, where there are several; `linked`: whether there are.
  Shortcut(const Collective& described, std::byte* rooms, size_t offset, Machine& machine, int ranks, bool linked,
           std::optional<MachineLinks> links);

  // Whether `collective` is what all have asked for.
  bool Serves(const Collective& collective) const;
  // This rank's values are there. Its memory is the caller's until Finish().
  void Begin(const Collective& collective);
  const std::optional<Collective>& under_way() const { return under_way_; }
  void Forget();

  // Whether the sums can be written. Any thread, as the next ones.
  bool IsComplete() const;
  // A leader's part between machines, as far as it can be done at once; true when something has moved.
  Result<bool> Advance();
  std::vector<int> Missing() const;  // neighbours
  std::optional<int> peer() const;   // the rank of another machine that is waited for
  // Writes the sums. Only when it is complete.
  void Finish() const;

  const std::string& name() const { return described_.name; }
  bool linked() const { return linked_; }
  uint64_t round() const { return round_.load(); }
  // All ranks end the rounds up to this one, and begin no further one.
  void TakeBack(uint64_t last_round) { last_round_.store(last_round); }
  bool is_taken_back() const { return last_round_.load() != kNoEnd; }
  // What is under way was begun after the last round.
  bool is_abandoned() const { return round_.load() > last_round_.load(); }

 private:
  static constexpr uint64_t kNoEnd = ~uint64_t{0};

  bool AllArrived() const;
  void AddUp(void* out, double scale) const;
  double FinalScale() const;

  Flag& arrived(int member) const { return *reinterpret_cast<Flag*>(place(member)); }
  // Two in turn: a rank writes the next values while others still add up these ones.
  std::byte* values(int member) const { return place(member) + sizeof(Flag) + (round_ % 2) * bytes_; }
  // Between machines: this machine's sum, which becomes that of all; in the leader's room, behind its values.
  Flag& exchanged() const { return *reinterpret_cast<Flag*>(place(0) + sizeof(Flag) + 2 * bytes_); }
  std::byte* sums() const { return place(0) + 2 * sizeof(Flag) + (2 + round_ % 2) * bytes_; }
  std::byte* place(int member) const { return rooms_ + static_cast<size_t>(member) * kRoom + offset_; }

  const Collective described_;
  std::byte* const rooms_;
  const size_t offset_, bytes_;
  Machine& machine_;
  const int ranks_;
  const bool linked_;
  std::atomic<uint64_t> round_{0}, last_round_{kNoEnd};
  std::optional<Collective> under_way_;

  mutable std::mutex exchanging_;
  std::optional<MachineLinks> links_;
  LinkedReduction reduction_;
  std::unique_ptr<LinkedExchange> exchange_;
};

}  // namespace headrace::hvd
