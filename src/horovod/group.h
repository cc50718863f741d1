// Group: the ranks of one process set, as one of them sees it: its neighbours in shared memory, the other machines
// through one leader each, and every rank through messages. Its collectives are called by the background threads of all
// its ranks, in the same order.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "horovod/machine_links.h"
#include "horovod/rendezvous.h"
#include "horovod/shm/windows.h"
#include "horovod/transport.h"

namespace headrace::hvd {

// One tensor of an allreduce. A rank that has joined has no memory for it and stands for zeros.
struct Piece {
  const std::byte* in = nullptr;
  std::byte* out = nullptr;
  int64_t count = 0;
};

struct GroupReduction {
  std::vector<Piece> pieces;  // travel as one
  DataType dtype = DataType::kFloat32;
  ReduceOp op = ReduceOp::kSum;
  double prescale = 1, postscale = 1;
  Compression compression = Compression::kNone;
  // What is written to the pieces' outputs of the concatenated result.
  int64_t keep_begin = 0, keep_end = 0;
};

struct GroupContext {
  const Topology& topology;
  Machine& machine;
  Windows& windows;
  Transport& transport;
  const Settings& settings;
  const Clock& clock;
  std::function<Status()> interrupted;
};

class Group {
 public:
  // `ranks`: ascending, this one among them.
  Group(const GroupContext& context, std::vector<int> ranks);

  const GroupContext& context() const { return context_; }
  size_t machines() const { return leaders_.size(); }
  bool IsLeader() const { return self_index() == locals_.front(); }
  // To the leaders of the other machines; a leader's.
  MachineLinks NewLinks(Lane lane) const;
  const std::vector<int>& ranks() const { return ranks_; }
  size_t size() const { return ranks_.size(); }
  size_t self() const { return self_; }  // this rank's place among `ranks`

  // `what` names the collective in messages.
  Status Allreduce(const GroupReduction& reduction, const std::string& what);
  // data: `bytes` of the rank `root` become everyone's.
  Status Broadcast(void* data, size_t bytes, int root, const std::string& what);
  // out: everyone's bytes, one after another; `bytes` by member. `in` may not lie in `out`.
  Status Allgather(const void* in, const std::vector<size_t>& bytes, std::byte* out, const std::string& what);
  // bytes[from][to] by member.
  Status Alltoall(const std::byte* in, const std::vector<std::vector<size_t>>& bytes, std::byte* out,
                  const std::string& what);
  // data: float32 or float64 values, as many on all ranks, combined pairwise: Horovod's Adasum.
  Status Adasum(std::byte* data, int64_t count, DataType dtype, const std::string& what);

 private:
  int self_index() const { return context_.topology.index; }
  bool IsLocal(size_t member) const;
  Status Barrier(const std::string& what) { return context_.windows.Barrier(locals_, what, context_.interrupted); }
  Status AllreduceInPlace(const GroupReduction& reduction, const std::string& what);
  Status ReduceWindow(const GroupReduction& reduction, int64_t count, const std::string& what);
  Status AllgatherLocally(const std::vector<size_t>& bytes, const std::vector<size_t>& offsets, std::byte* out,
                          const std::string& what);
  Status BroadcastLocally(std::byte* data, size_t bytes, int source, const std::string& what);
  Status ExchangeWith(size_t partner, const std::byte* mine, std::byte* theirs, size_t bytes, const std::string& what);

  const GroupContext context_;
  const std::vector<int> ranks_;
  size_t self_ = 0;
  std::vector<int> locals_;            // indices in the machine of the members there, ascending
  std::vector<size_t> local_members_;  // the same as places in `ranks`
  std::vector<int> leaders_;           // the first member of each machine, ascending
  size_t own_leader_ = 0;
  MachineLinks links_;
};

}  // namespace headrace::hvd
