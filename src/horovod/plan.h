// GroupPlan: the planned allreduce. Neighbours add up each other's memory where it lies; a machine's leader then
// exchanges the sum with the other machines.
//
// Bucket, one machine: every rank raises `ready`; each adds up one slice of everybody's memory, writes it to
// everybody's memory, and raises `reduced`; a wait ends when all have. A small bucket
// goes another way: every rank copies its values into a slot that all can read, raises `ready`, and everybody adds up
// everything.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "horovod/carrier.h"
#include "horovod/communicator.h"
#include "horovod/shm/machine.h"
#include "horovod/shm/segment.h"
#include "horovod/workload.h"

namespace headrace::hvd {

// The memory of all ranks of a machine, one after another in one segment.
class MachineMemory : public SharedMemory {
 public:
  static size_t BytesFor(size_t bytes, int members) { return StrideOf(bytes) * static_cast<size_t>(members); }

  MachineMemory(Segment segment, size_t bytes, int index)
      : segment_(std::move(segment)), bytes_(bytes), index_(index) {}
  std::byte* data() override { return of(index_); }
  size_t bytes() const override { return bytes_; }
  std::byte* of(int member) const { return segment_.data() + static_cast<size_t>(member) * StrideOf(bytes_); }

 private:
  // Whole pages, so that two ranks share none, and one page more, so that the same place of two ranks is not in the
  // same set of the cache.
  static size_t StrideOf(size_t bytes) { return (bytes + 4095) / 4096 * 4096 + 4096; }

  Segment segment_;
  const size_t bytes_;
  const int index_;
};

class GroupPlan : public Plan {
 public:
  struct Shape {
    std::vector<Bucket> buckets;
    PlanOptions options;
    int ranks = 1;     // of the job
    int machines = 1;  // of the job
  };
  static size_t BytesFor(const Shape& shape, int members, size_t memory_bytes);

  // `interrupted` keeps alive what the plan was made with. `segment`: of BytesFor bytes, shared by the machine.
  // `carrier`: null on one machine. `workload`: of all plans of this rank.
  GroupPlan(Shape shape, Machine& machine, MachineMemory& memory, Segment segment, Workload& workload, Carrier* carrier,
            std::function<Status()> interrupted, std::function<void(const Error&)> fail);
  ~GroupPlan() override;

  Status Start(size_t bucket) override;
  Result<bool> Done(size_t bucket) override;
  Status Wait(size_t bucket) override;

 private:
  struct BucketState {
    uint64_t step = 0;      // started
    uint64_t finished = 0;  // waited for
  };

  bool IsSmall(size_t bucket) const;
  Flag& ready(size_t bucket, int member) const { return flags_[(2 * bucket) * members_ + static_cast<size_t>(member)]; }
  Flag& reduced(size_t bucket, int member) const {
    return flags_[(2 * bucket + 1) * members_ + static_cast<size_t>(member)];
  }
  Flag& carried(size_t bucket) const { return flags_[2 * shape_.buckets.size() * members_ + bucket]; }
  std::byte* slot(size_t bucket, uint64_t step, int member) const;
  bool AllReady(size_t bucket) const;
  bool IsComplete(size_t bucket) const;
  std::string NameOf(size_t bucket, uint64_t step) const;
  Cargo CargoOf(size_t bucket);
  double LocalScale() const;
  double FinalScale() const;
  void ReduceSmall(size_t bucket);
  void ReduceSlice(size_t bucket);
  void AddUp(size_t bucket);
  void Finish(size_t bucket);
  Status Work();
  Status Await(size_t bucket);
  Status AwaitMachines(size_t bucket);
  Status ToldOf(Status status) const;
  Status CheckMissing(size_t bucket, std::optional<StallWatch>& watch) const;

  const Shape shape_;
  Machine& machine_;
  MachineMemory& memory_;
  const Segment segment_;
  Workload& workload_;
  Carrier* const carrier_;
  const std::function<Status()> interrupted_;
  const std::function<void(const Error&)> fail_;
  const size_t members_;
  Flag* const flags_;
  std::byte* slots_ = nullptr;
  std::byte* home_ = nullptr;  // where the machine's sums go; null: to everybody's memory
  std::vector<size_t> slot_offsets_;
  std::vector<BucketState> states_;
  std::vector<Cargo> cargoes_;  // by bucket, of a leader among machines
};

}  // namespace headrace::hvd
