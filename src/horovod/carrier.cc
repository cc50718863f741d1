#include "horovod/carrier.h"

#include <chrono>
#include <utility>

#include "horovod/precise_sleep.h"

namespace headrace::hvd {

Carrier::Carrier(MachineLinks links, Machine& machine, std::function<void(const Error&)> fail)
    : links_(std::move(links)), machine_(machine), fail_(std::move(fail)) {
  thread_ = std::thread([this] { Run(); });
}

Carrier::~Carrier() { Stop(); }

void Carrier::Stop() {
  if (stopping_.exchange(true)) return;
  { const std::scoped_lock lock(mutex_, naps_); }
  changed_.notify_all();
  woken_.notify_all();
  thread_.join();
}

void Carrier::Add(const Cargo& cargo) {
  {
    const std::lock_guard lock(mutex_);
    cargoes_.push_back(&cargo);
    left_.store(cargoes_.size());
  }
  if (!dozing_.load()) return;
  { const std::lock_guard lock(naps_); }
  woken_.notify_all();
}

Result<bool> Carrier::Advance() {
  attended_.store(true, std::memory_order_relaxed);
  return AdvanceAll();
}

Result<bool> Carrier::AdvanceAll() {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  bool moved = false;
  while (!stopping_ && !failed_ && !cargoes_.empty()) {
    const auto first = AdvanceFirst();
    if (!first) {
      failed_ = true;
      changed_.notify_all();
      return first;
    }
    if (!*first) break;
    moved = true;
  }
  return moved;
}

// Whether something has moved.
Result<bool> Carrier::AdvanceFirst() {
  const Cargo& first = *cargoes_.front();
  if (exchange_ == nullptr) {
    if (!first.is_ready()) return false;
    HEADRACE_ASSIGN(exchange_, links_.Start(first.reduction));
    watch_.reset();
    return true;
  }
  HEADRACE_ASSIGN(const Advanced advanced, exchange_->Advance());
  if (advanced != Advanced::kOver) return advanced == Advanced::kMoved;
  exchange_.reset();
  watch_.reset();
  cargoes_.pop_front();
  left_.store(cargoes_.size());
  first.done();
  if (cargoes_.empty()) changed_.notify_all();
  return true;
}

void Carrier::Drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failed_ || stopping_ || cargoes_.empty(); });
}

// Who holds up the first of them. An error when it is hopeless.
Status Carrier::Watch() {
  const std::lock_guard lock(mutex_);
  if (failed_ || cargoes_.empty()) return {};
  const Cargo& first = *cargoes_.front();
  if (exchange_ == nullptr) return first.missing(watch_);
  if (!watch_) watch_.emplace(machine_.Watch(first.reduction.what()));
  return links_.Check(*exchange_, *watch_);
}

// Whether there is to be another look.
bool Carrier::Nap() {
  constexpr auto kPeriod = std::chrono::milliseconds(1);
  constexpr int kDozesAfter = 50;  // periods without cargo
  const auto over = [this] { return stopping_ || failed_; };
  idle_ = left_.load() == 0 ? idle_ + 1 : 0;
  std::unique_lock lock(naps_);
  if (idle_ < kDozesAfter) {
    woken_.wait_for(lock, kPeriod, over);  // not for Add(): waking a thread costs more than carrying a little
  } else {
    dozing_ = true;
    woken_.wait(lock, [&] { return over() || left_.load() > 0; });
    dozing_ = false;
  }
  return !over();
}

void Carrier::Run() {
  using std::chrono::steady_clock;
  constexpr auto kAsk = std::chrono::milliseconds(100);
  SleepPrecisely();
  for (auto asked = steady_clock::now(); Nap();) {
    Status status;
    if (!attended_.exchange(false, std::memory_order_relaxed))
      if (const auto advanced = AdvanceAll(); !advanced) status = tl::unexpected<Error>(advanced.error());
    if (const auto now = steady_clock::now(); status && now - asked >= kAsk) {
      asked = now;
      status = Watch();
    }
    if (status) continue;
    {
      const std::lock_guard lock(mutex_);
      failed_ = true;
    }
    changed_.notify_all();
    return fail_(status.error());
  }
}

}  // namespace headrace::hvd
