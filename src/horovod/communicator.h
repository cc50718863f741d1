// Communicator: a group of ranks and what they do together. The same interface over processes (MPI and shared memory)
// and over threads of one process (thread_world.h), so that whatever is built on it is tested without mpirun.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/horovod.h"

#include "base/result.h"

namespace headrace::hvd {

// Where a rank stands. "Host" is what Horovod and SageMaker mean by it; several hosts of a job may be one machine.
struct Place {
  int rank = 0, size = 1;
  int local_rank = 0, local_size = 1;  // among the ranks of the host
  int cross_rank = 0, cross_size = 1;  // among the ranks with this local_rank
  bool homogeneous = true;
  std::string host;  // its name, for messages
};

// Memory of one rank that its neighbours on the machine read without a copy.
class SharedMemory {
 public:
  virtual ~SharedMemory() = default;
  virtual std::byte* data() = 0;  // this rank's own; 64-byte aligned, zeros at first
  virtual size_t bytes() const = 0;
};

// A part of a SharedMemory that is reduced as one, e.g. the gradients of some neighbouring layers.
struct Bucket {
  std::string name;   // for messages and the timeline
  size_t offset = 0;  // bytes from data(), a multiple of 64
  int64_t count = 0;  // elements
};

struct PlanOptions {
  std::string name;  // the plan's, the same on all ranks
  DataType dtype = DataType::kFloat32;
  ReduceOp op = ReduceOp::kAverage;  // not kAdasum
  double prescale = 1, postscale = 1;
  Compression compression = Compression::kNone;
};

// An allreduce of the same buckets step after step: the sums take the place of the inputs, the same bits on all ranks.
// All was agreed when it was made: a step negotiates nothing, and all ranks start the buckets in the same order. For
// one thread at a time. Whoever waits for one plan works on all.
//
//   for each step: for each bucket in order: write it, Start(i); then for each bucket: Wait(i), read it
class Plan {
 public:
  virtual ~Plan() = default;
  // This rank's values of the bucket are final. Returns at once; does a part of the work that earlier buckets have
  // left.
  virtual Status Start(size_t bucket) = 0;
  // Whether Wait would return at once. Does a part of the work.
  virtual Result<bool> Done(size_t bucket) = 0;
  // Until the bucket started last is reduced. A rank that is missing is named on standard error, and is an error
  // (kUnavailable) after the limit of the settings, at once when its process has ended.
  virtual Status Wait(size_t bucket) = 0;
};

enum class CollectiveType : uint8_t { kAllreduce, kAllgather, kBroadcast, kJoin, kAlltoall, kBarrier, kReducescatter };
const char* NameOf(CollectiveType type);  // "allreduce"

// One rank's part in a named collective. Ranks meet by name; they may ask in any order.
struct Collective {
  CollectiveType type = CollectiveType::kAllreduce;
  std::string name;
  DataType dtype = DataType::kFloat32;
  std::vector<int64_t> shape;   // of `input`
  const void* input = nullptr;  // the caller's, until the handle is done
  // Allreduce and broadcast: where the result goes, of the input's shape; may be `input`. The others make an output.
  void* output = nullptr;
  ReduceOp op = ReduceOp::kAverage;
  double prescale = 1, postscale = 1;
  Compression compression = Compression::kNone;
  int root = 0;                 // broadcast: a rank of the whole job
  std::vector<int64_t> splits;  // alltoall: rows for each rank of the set; empty: equally many
  int process_set = 0;          // 0: all ranks
  // Allreduces with the same group name are ready only together, as many as `group_size`.
  std::string group;
  int group_size = 0;
};

struct Outcome {
  std::vector<std::byte> output;         // allgather, alltoall, reducescatter
  std::vector<int64_t> shape;            // of the result
  std::vector<int64_t> received_splits;  // alltoall: rows from each rank of the set
  int last_joined = -1;                  // join
};

class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual const Place& place() const = 0;
  virtual std::string NameOf(int rank) const = 0;  // as messages call it: "rank 1 (algo-2)"

  // Every rank asks for the same number of bytes, in the same order among its calls of Allocate and MakePlan.
  // kResourceExhausted, on every rank, when the machine has no room for it.
  virtual Result<std::unique_ptr<SharedMemory>> Allocate(size_t bytes) = 0;
  // All ranks call it with the same buckets and options; a difference is an error on every rank that names it.
  // `memory` must outlive the plan.
  virtual Result<std::unique_ptr<Plan>> MakePlan(SharedMemory& memory, std::vector<Bucket> buckets,
                                                 PlanOptions options) = 0;

  // Any thread may call these. kAlreadyExists when the name is pending on this rank.
  virtual Result<Handle> Enqueue(Collective collective) = 0;
  virtual bool Poll(Handle handle) = 0;
  // Waits for its end, and forgets the handle. What ranks disagree about is an error on each of them.
  virtual Result<Outcome> Synchronize(Handle handle) = 0;

  // A set of ranks of its own for Collective::process_set. Every rank of the job calls it with the same ranks.
  virtual Result<int> AddProcessSet(const std::vector<int>& ranks) = 0;
  virtual Status RemoveProcessSet(int process_set) = 0;

  // What this rank does now, for the others' messages while they wait for it: "step 12 of epoch 3".
  virtual void Tell(std::string_view doing) = 0;

  // This rank cannot go on: ends the group for all. What any rank waits for, or asks for later, is the error "rank R
  // (host): reason". Returns when the programs of all ranks have that error, or after a moment: a launcher ends all
  // processes as soon as one has ended.
  virtual void Abort(std::string_view reason) = 0;

  // Ends the group for this rank. What other ranks wait for with it ends there with an error that names this rank.
  virtual void Shutdown() = 0;
};

// Enqueue and Synchronize.
Result<Outcome> Run(Communicator& communicator, Collective collective);

}  // namespace headrace::hvd
