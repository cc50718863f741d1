// Machine: the ranks on one machine, as they see each other in shared memory: who is there and lives, what each does,
// and how one wakes another. All ranks of a machine are members, also those of different hosts of the job.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "horovod/settings.h"
#include "horovod/shm/segment.h"
#include "horovod/stall_watch.h"

namespace headrace::hvd {

// A number that one rank raises and others wait for, on a cache line of its own.
struct alignas(64) Flag {
  std::atomic<uint64_t> value;

  // In one order with Machine's count of sleepers: who raises a flag either sees the sleeper, or is seen by him.
  void Raise(uint64_t to) { value.store(to, std::memory_order_seq_cst); }
  bool Reached(uint64_t wanted) const { return value.load(std::memory_order_seq_cst) >= wanted; }
};

// Who waits in shared memory: the program's own thread for its plans, or the background thread.
enum class Bell : uint8_t { kPlan, kBackground };

struct Member {
  int rank = 0;
  std::string host;
};

class Machine {
 public:
  static size_t BytesFor(int members);

  // `segment`: of BytesFor(members.size()) or more bytes. `spins`: whether each member has a processor of its own, so
  // that a wait may keep it busy for a moment.
  Machine(Segment segment, std::vector<Member> members, int index, const Settings& settings, const Clock& clock);
  ~Machine();

  int size() const { return static_cast<int>(members_.size()); }
  int index() const { return index_; }  // of this rank among the members
  const Member& member(int index) const { return members_[static_cast<size_t>(index)]; }
  std::string self() const;  // "rank 0 (algo-1)"
  const Settings& settings() const { return settings_; }
  const Clock& clock() const { return clock_; }
  // Whether each member has a processor of its own. If not, a wait lets others run from the beginning.
  void set_own_processor(bool own) { own_processor_ = own; }

  // Once every 100 ms or so, by a thread that runs as long as this process does.
  void Beat();
  // What this rank does now, cut after some hundred bytes.
  void Tell(std::string_view doing);
  // This rank will take part in nothing more: it has called shutdown(), or it has given up after an error.
  void Leave(bool failed);
  bool HasLeft(int member) const;

  // The members of `missing` as messages name them.
  std::vector<Absent> Describe(const std::vector<int>& missing) const;
  StallWatch Watch(std::string what) const { return StallWatch(settings_, clock_, self(), std::move(what)); }

  // Wakes the members that wait for `bell`. After raising a flag.
  void Ring(Bell bell);
  // Until `ready()`; from the time when that takes longer than a moment, `idle()` is called ten times a second and may
  // end the wait with an error.
  template <typename Ready, typename Idle>
  Status Await(Bell bell, const Ready& ready, const Idle& idle);
  // At most `limit`, or until somebody rings. `ready` is asked once more before sleeping.
  template <typename Ready>
  void Sleep(Bell bell, const Ready& ready, std::chrono::milliseconds limit);

 private:
  struct Shared;
  struct Pulse;
  struct alignas(64) BellState {
    std::atomic<uint32_t> rings, sleepers;
  };

  BellState& bell(Bell bell) const;
  Pulse& pulse(int member) const;
  template <typename Ready>
  bool Spin(const Ready& ready) const;
  static void FutexWait(std::atomic<uint32_t>& word, uint32_t seen, std::chrono::milliseconds limit);
  static void FutexWake(std::atomic<uint32_t>& word);

  Segment segment_;
  const std::vector<Member> members_;
  const int index_;
  const Settings& settings_;
  const Clock& clock_;
  bool own_processor_ = true;
};

template <typename Ready>
bool Machine::Spin(const Ready& ready) const {
  constexpr auto kMoment = std::chrono::microseconds(20);  // less than a sleep and a wake-up cost together
  const int checks = own_processor_ ? 64 : 4;              // between two looks at the clock
  if (ready()) return true;
  const auto end = std::chrono::steady_clock::now() + kMoment;
  do {
    for (int i = 0; i < checks; ++i) {
      if (ready()) return true;
      if (!own_processor_) {
        std::this_thread::yield();  // perhaps to the very one that is waited for
        continue;
      }
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

template <typename Ready>
void Machine::Sleep(Bell which, const Ready& ready, std::chrono::milliseconds limit) {
  BellState& state = bell(which);
  const uint32_t seen = state.rings.load(std::memory_order_seq_cst);
  state.sleepers.fetch_add(1, std::memory_order_seq_cst);
  if (!ready()) FutexWait(state.rings, seen, limit);
  state.sleepers.fetch_sub(1, std::memory_order_seq_cst);
}

template <typename Ready, typename Idle>
Status Machine::Await(Bell which, const Ready& ready, const Idle& idle) {
  constexpr auto kIdle = std::chrono::milliseconds(100);
  if (Spin(ready)) return {};
  auto asked = std::chrono::steady_clock::now();
  while (true) {
    Sleep(which, ready, kIdle);
    if (Spin(ready)) return {};
    if (const auto now = std::chrono::steady_clock::now(); now - asked >= kIdle) {
      asked = now;
      HEADRACE_TRY(idle());
    }
  }
}

}  // namespace headrace::hvd
