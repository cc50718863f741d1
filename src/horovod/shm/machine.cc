#include "horovod/shm/machine.h"

#include <algorithm>
#include <cstring>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace headrace::hvd {
namespace {

constexpr uint32_t kHere = 0, kLeft = 1, kFailed = 2;

}  // namespace

// What one member tells the others. The text is for messages only: it may be torn while it is written.
struct alignas(64) Machine::Pulse {
  static constexpr size_t kWords = 22;
  std::atomic<int64_t> beat;     // BootClock's time
  std::atomic<int64_t> told_at;  // when the text was written
  std::atomic<uint32_t> left;
  std::atomic<uint64_t> text[kWords];
};

struct Machine::Shared {
  BellState bells[2];
};

size_t Machine::BytesFor(int members) { return sizeof(Shared) + static_cast<size_t>(members) * sizeof(Pulse); }

Machine::Machine(Segment segment, std::vector<Member> members, int index, const Settings& settings, const Clock& clock)
    : segment_(std::move(segment)), members_(std::move(members)), index_(index), settings_(settings), clock_(clock) {
  Beat();
}

Machine::~Machine() { Leave(false); }

std::string Machine::self() const { return NameOf(Absent{member(index_).rank, member(index_).host}); }

Machine::BellState& Machine::bell(Bell which) const {
  return reinterpret_cast<Shared*>(segment_.data())->bells[which == Bell::kPlan ? 0 : 1];
}

Machine::Pulse& Machine::pulse(int member) const {
  return reinterpret_cast<Pulse*>(segment_.data() + sizeof(Shared))[member];
}

void Machine::Beat() { pulse(index_).beat.store(clock_.Now()); }

void Machine::Tell(std::string_view doing) {
  Pulse& own = pulse(index_);
  uint64_t words[Pulse::kWords] = {};
  doing.copy(reinterpret_cast<char*>(words), sizeof words - 1);
  for (size_t i = 0; i < Pulse::kWords; ++i) own.text[i].store(words[i], std::memory_order_relaxed);
  own.told_at.store(clock_.Now());
}

void Machine::Leave(bool failed) {
  uint32_t here = kHere;
  pulse(index_).left.compare_exchange_strong(here, failed ? kFailed : kLeft);
  Ring(Bell::kPlan);
  Ring(Bell::kBackground);
}
bool Machine::HasLeft(int member) const { return pulse(member).left.load() != kHere; }

std::vector<Absent> Machine::Describe(const std::vector<int>& missing) const {
  constexpr int64_t kStoppedAfter = 3'000;
  std::vector<Absent> described;
  const UnixMillis now = clock_.Now();
  for (const int index : missing) {
    const Pulse& other = pulse(index);
    const uint32_t left = other.left.load();
    Absent absent{member(index).rank, member(index).host, {}, false, left == kLeft, left == kFailed};
    absent.ended = left == kHere && index != index_ && !segment_.IsMarked(index);
    uint64_t words[Pulse::kWords];
    for (size_t i = 0; i < Pulse::kWords; ++i) words[i] = other.text[i].load(std::memory_order_relaxed);
    const auto* text = reinterpret_cast<const char*>(words);
    const size_t length = ::strnlen(text, sizeof words);
    if (length > 0)
      absent.doing = fmt::format("{} {} s ago", std::string_view(text, length), (now - other.told_at.load()) / 1000);
    if (const int64_t silent = now - other.beat.load(); left == kHere && !absent.ended && silent > kStoppedAfter)
      absent.doing +=
          fmt::format("{}its process has been stopped for {} s", absent.doing.empty() ? "" : "; ", silent / 1000);
    described.push_back(std::move(absent));
  }
  return described;
}

void Machine::Ring(Bell which) {
  BellState& state = bell(which);
  if (state.sleepers.load(std::memory_order_seq_cst) == 0) return;
  state.rings.fetch_add(1, std::memory_order_seq_cst);
  FutexWake(state.rings);
}

void Machine::FutexWait(std::atomic<uint32_t>& word, uint32_t seen, std::chrono::milliseconds limit) {
  const struct timespec timeout { limit.count() / 1000, limit.count() % 1000 * 1'000'000 };
  ::syscall(SYS_futex, &word, FUTEX_WAIT, seen, &timeout, nullptr, 0);
}

void Machine::FutexWake(std::atomic<uint32_t>& word) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, INT32_MAX, nullptr, nullptr, 0);
}

}  // namespace headrace::hvd
