// The collectives of headrace/horovod.h: arrays in, arrays out, over the communicator of this process.
#include <map>
#include <mutex>

#include "horovod/world.h"

namespace headrace::hvd {
namespace {

// What a handle keeps alive until it is synchronized.
struct Kept {
  Array input, output;
  DataType dtype = DataType::kFloat32;
  bool makes_output = false;  // allgather, alltoall, reducescatter
};

struct Handles {
  std::mutex mutex;
  std::map<Handle, Kept> kept;
  std::map<CollectiveType, int64_t> unnamed;
};

Handles& ThisProcessHandles() {
  static Handles handles;
  return handles;
}

Collective Described(CollectiveType type, const Array& array, const std::string& name, int process_set) {
  Collective collective;
  collective.type = type;
  collective.name = name;
  collective.dtype = array.dtype();
  collective.shape = array.shape();
  collective.input = array.raw();
  collective.process_set = process_set;
  if (!name.empty()) return collective;
  Handles& handles = ThisProcessHandles();
  const std::lock_guard lock(handles.mutex);
  collective.name = fmt::format("{}.noname.{}", NameOf(type), ++handles.unnamed[type]);
  return collective;
}

Collective DescribedReduction(CollectiveType type, const Array& array, const ReduceOptions& options) {
  Collective collective = Described(type, array, options.name, options.process_set);
  collective.op = options.op;
  collective.prescale = options.prescale_factor;
  collective.postscale = options.postscale_factor;
  collective.compression = options.compression;
  return collective;
}

Handle Start(Collective collective, Kept kept) {
  const bool writes = collective.type == CollectiveType::kAllreduce || collective.type == CollectiveType::kBroadcast;
  if (writes) collective.output = kept.output.raw();
  kept.dtype = collective.dtype;
  kept.makes_output = !writes;
  // Until it is known here the handle is known to nobody.
  Handles& handles = ThisProcessHandles();
  const std::lock_guard lock(handles.mutex);
  const Handle handle = ValueOrThrow(World().Enqueue(std::move(collective)));
  handles.kept.emplace(handle, std::move(kept));
  return handle;
}

Kept TakeKept(Handle handle) {
  Handles& handles = ThisProcessHandles();
  const std::lock_guard lock(handles.mutex);
  auto found = handles.kept.extract(handle);
  if (found.empty()) throw MakeError(ErrorCode::kInvalidArgument, "handle {}: unknown, or synchronized before", handle);
  return std::move(found.mapped());
}

Handle StartReduction(const Array& array, const ReduceOptions& options, const Array& output) {
  return Start(DescribedReduction(CollectiveType::kAllreduce, array, options), {array, output});
}

Handle StartBroadcast(const Array& array, int root, const CollectiveOptions& options, const Array& output) {
  Collective collective = Described(CollectiveType::kBroadcast, array, options.name, options.process_set);
  collective.root = root;
  return Start(std::move(collective), {array, output});
}

}  // namespace

Handle allreduce_async(const Array& array, const ReduceOptions& options) {
  return StartReduction(array, options, Array(array.dtype(), array.shape()));
}
Handle allreduce_async_(const Array& array, const ReduceOptions& options) {
  return StartReduction(array, options, array);
}

Handle allgather_async(const Array& array, const CollectiveOptions& options) {
  return Start(Described(CollectiveType::kAllgather, array, options.name, options.process_set), {array});
}

Handle broadcast_async(const Array& array, int root, const CollectiveOptions& options) {
  return StartBroadcast(array, root, options, Array(array.dtype(), array.shape()));
}
Handle broadcast_async_(const Array& array, int root, const CollectiveOptions& options) {
  return StartBroadcast(array, root, options, array);
}

Handle alltoall_async(const Array& array, const std::vector<int64_t>& splits, const CollectiveOptions& options) {
  Collective collective = Described(CollectiveType::kAlltoall, array, options.name, options.process_set);
  collective.splits = splits;
  return Start(std::move(collective), {array});
}

Handle reducescatter_async(const Array& array, const ReduceOptions& options) {
  return Start(DescribedReduction(CollectiveType::kReducescatter, array, options), {array});
}

bool poll(Handle handle) { return World().Poll(handle); }

AlltoallResult synchronize_alltoall(Handle handle) {
  const Kept kept = TakeKept(handle);
  Outcome outcome = ValueOrThrow(World().Synchronize(handle));
  if (!kept.makes_output) return {kept.output, {}};
  Array output(kept.dtype, outcome.shape);
  if (!outcome.output.empty()) std::memcpy(output.raw(), outcome.output.data(), outcome.output.size());
  return {std::move(output), std::move(outcome.received_splits)};
}

Array synchronize(Handle handle) { return synchronize_alltoall(handle).output; }

Array allreduce(const Array& array, const ReduceOptions& options) {
  return synchronize(allreduce_async(array, options));
}
void allreduce_(const Array& array, const ReduceOptions& options) { synchronize(allreduce_async_(array, options)); }

std::vector<Array> grouped_allreduce(const std::vector<Array>& arrays, const ReduceOptions& options) {
  Collective first = DescribedReduction(CollectiveType::kAllreduce, Array(), options);
  std::vector<Handle> handles;
  for (size_t i = 0; i < arrays.size(); ++i) {
    ReduceOptions own = options;
    own.name = fmt::format("{}.{}", first.name, i);
    Collective collective = DescribedReduction(CollectiveType::kAllreduce, arrays[i], own);
    collective.group = first.name;
    collective.group_size = static_cast<int>(arrays.size());
    handles.push_back(Start(std::move(collective), {arrays[i], Array(arrays[i].dtype(), arrays[i].shape())}));
  }
  std::vector<Array> reduced;
  for (const Handle handle : handles) reduced.push_back(synchronize(handle));
  return reduced;
}

Array allgather(const Array& array, const CollectiveOptions& options) {
  return synchronize(allgather_async(array, options));
}

Array broadcast(const Array& array, int root, const CollectiveOptions& options) {
  return synchronize(broadcast_async(array, root, options));
}
void broadcast_(const Array& array, int root, const CollectiveOptions& options) {
  synchronize(broadcast_async_(array, root, options));
}

std::string broadcast_object(const std::string& bytes, int root, const CollectiveOptions& options) {
  CollectiveOptions length_options = options, bytes_options = options;
  if (!options.name.empty()) {
    length_options.name += ".length";
    bytes_options.name += ".bytes";
  }
  const Array length =
      broadcast(Array::Of(std::vector<int64_t>{static_cast<int64_t>(bytes.size())}), root, length_options);
  const Array object(DataType::kUInt8, {*length.data<int64_t>()});
  if (rank() == root && !bytes.empty()) std::memcpy(object.raw(), bytes.data(), bytes.size());
  broadcast_(object, root, bytes_options);
  return std::string(object.data<char>(), object.bytes());
}

AlltoallResult alltoall(const Array& array, const std::vector<int64_t>& splits, const CollectiveOptions& options) {
  return synchronize_alltoall(alltoall_async(array, splits, options));
}

Array reducescatter(const Array& array, const ReduceOptions& options) {
  return synchronize(reducescatter_async(array, options));
}

void barrier(const CollectiveOptions& options) {
  ValueOrThrow(Run(World(), Described(CollectiveType::kBarrier, Array(), options.name, options.process_set)));
}

int join() {
  Collective collective;
  collective.type = CollectiveType::kJoin;
  return ValueOrThrow(Run(World(), std::move(collective))).last_joined;
}

}  // namespace headrace::hvd
