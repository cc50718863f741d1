#include "horovod/carrier.h"

#include <utility>

#include "horovod/precise_sleep.h"

namespace headrace::hvd {

Carrier::Carrier(MachineLinks links, Machine& machine, std::function<void(const Error&)> fail)
    : links_(std::move(links)), machine_(machine), fail_(std::move(fail)) {
  links_.set_hurried([this] { return waiting_.load() > 0; });
  thread_ = std::thread([this] { Run(); });
}

Carrier::~Carrier() { Stop(); }

void Carrier::Stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return;
  }
  changed_.notify_all();
  thread_.join();
}

void Carrier::Add(Cargo cargo) {
  constexpr size_t kLittle = size_t{32} << 10;
  bool wake = static_cast<size_t>(cargo.reduction.count) * SizeOf(cargo.reduction.dtype) > kLittle;
  {
    const std::lock_guard lock(mutex_);
    wake = wake || !cargoes_.empty();
    awake_ = awake_ || wake;
    cargoes_.push_back(std::move(cargo));
  }
  if (wake) changed_.notify_all();
}

Result<bool> Carrier::Help() {
  std::unique_lock lock(mutex_);
  if (!FirstIsReady()) return false;
  HEADRACE_TRY(CarryFirst(lock));
  return true;
}

bool Carrier::CanHelp() {
  const std::lock_guard lock(mutex_);
  return FirstIsReady();
}

bool Carrier::FirstIsReady() const {
  return !stopping_ && !failed_ && !carrying_ && !cargoes_.empty() && cargoes_.front().is_ready();
}

void Carrier::Wake() {
  {
    const std::lock_guard lock(mutex_);
    awake_ = !cargoes_.empty();
  }
  changed_.notify_all();
}

void Carrier::Drain() {
  Wake();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failed_ || stopping_ || cargoes_.empty(); });
}

void Carrier::Run() {
  SleepPrecisely();
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || (awake_ && !carrying_ && !cargoes_.empty()); });
    if (stopping_) return;
    if (const Status carried = CarryFirst(lock); !carried) {
      lock.unlock();
      return fail_(carried.error());
    }
  }
}

Status Carrier::CarryFirst(std::unique_lock<std::mutex>& lock) {
  carrying_ = true;
  const Cargo& cargo = cargoes_.front();  // stays in place while others are added
  lock.unlock();
  Status carried = Carry(cargo);
  lock.lock();
  carrying_ = false;
  if (carried)
    cargoes_.pop_front();
  else
    failed_ = true;
  if (cargoes_.empty()) awake_ = false;
  changed_.notify_all();
  return carried;
}

Status Carrier::Carry(const Cargo& cargo) {
  HEADRACE_TRY(machine_.Await(Bell::kPlan, cargo.is_ready, cargo.missing));
  HEADRACE_TRY(links_.Allreduce(cargo.reduction));
  cargo.done->Raise(cargo.step);
  machine_.Ring(Bell::kPlan);
  return {};
}

}  // namespace headrace::hvd
