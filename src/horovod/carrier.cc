#include "horovod/carrier.h"

#include <utility>

namespace headrace::hvd {

Carrier::Carrier(MachineLinks links, Machine& machine, std::function<void(const Error&)> fail)
    : links_(std::move(links)), machine_(machine), fail_(std::move(fail)), thread_([this] { Run(); }) {}

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
  {
    const std::lock_guard lock(mutex_);
    cargoes_.push_back(std::move(cargo));
  }
  changed_.notify_all();
}

void Carrier::Drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failed_ || stopping_ || cargoes_.empty(); });
}

void Carrier::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !cargoes_.empty(); });
    if (stopping_) return;
    const Cargo& cargo = cargoes_.front();  // stays in place while others are added
    lock.unlock();
    const Status carried = Carry(cargo);
    lock.lock();
    if (!carried) {
      failed_ = true;
      changed_.notify_all();
      lock.unlock();
      fail_(carried.error());
      return;
    }
    cargoes_.pop_front();
    changed_.notify_all();
  }
}

Status Carrier::Carry(const Cargo& cargo) {
  HEADRACE_TRY(machine_.Await(Bell::kPlan, cargo.is_ready, cargo.missing));
  HEADRACE_TRY(links_.Allreduce(cargo.reduction));
  cargo.done->Raise(cargo.step);
  machine_.Ring(Bell::kPlan);
  return {};
}

}  // namespace headrace::hvd
