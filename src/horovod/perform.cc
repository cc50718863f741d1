#include "horovod/perform.h"

#include <cstring>
#include <new>
#include <numeric>

#include "horovod/reduce_kernels.h"

namespace headrace::hvd {
namespace {

int64_t RowElements(const std::vector<int64_t>& shape) {
  return std::accumulate(shape.begin() + 1, shape.end(), int64_t{1}, std::multiplies<>());
}

const std::byte* InputOf(const Collective& collective) { return static_cast<const std::byte*>(collective.input); }

GroupReduction ReductionOf(const Response& response, const Group& group) {
  const Collective& common = response.collective;
  GroupReduction reduction;
  reduction.dtype = common.dtype;
  reduction.op = common.op == ReduceOp::kAverage ? ReduceOp::kSum : common.op;
  reduction.prescale = common.prescale;
  reduction.postscale = common.postscale;
  if (common.op == ReduceOp::kAverage) reduction.postscale /= static_cast<double>(group.size());
  reduction.compression = common.compression;
  return reduction;
}

Status Allreduce(Group& group, const Response& response, const std::vector<const Collective*>& collectives,
                 const std::string& what) {
  GroupReduction reduction = ReductionOf(response, group);
  for (size_t i = 0; i < collectives.size(); ++i) {
    const Collective* own = collectives[i];
    reduction.pieces.push_back({own == nullptr ? nullptr : InputOf(*own),
                                own == nullptr ? nullptr : static_cast<std::byte*>(own->output), response.counts[i]});
    reduction.keep_end += response.counts[i];
  }
  return group.Allreduce(reduction, what);
}

// Values of two bytes are combined as float32.
Status Adasum(Group& group, const Collective& own, int64_t count, const std::string& what) {
  const bool wide = SizeOf(own.dtype) > 2;
  const size_t bytes = static_cast<size_t>(count) * SizeOf(own.dtype);
  auto* out = static_cast<std::byte*>(own.output);
  if (wide) {
    if (own.output != own.input && bytes > 0) std::memcpy(own.output, own.input, bytes);
    Scale(out, count, own.dtype, own.prescale);
    HEADRACE_TRY(group.Adasum(out, count, own.dtype, what));
    Scale(out, count, own.dtype, own.postscale);
    return {};
  }
  std::vector<float> values(static_cast<size_t>(count));
  auto* data = reinterpret_cast<std::byte*>(values.data());
  ReduceKernels().expand(count, own.dtype, static_cast<const uint16_t*>(own.input), values.data());
  Scale(data, count, DataType::kFloat32, own.prescale);
  HEADRACE_TRY(group.Adasum(data, count, DataType::kFloat32, what));
  Scale(data, count, DataType::kFloat32, own.postscale);
  ReduceKernels().compress(count, values.data(), own.dtype, static_cast<uint16_t*>(own.output));
  return {};
}

Result<Outcome> Allgather(Group& group, const Response& response, const Collective& own, const std::string& what) {
  const size_t row = static_cast<size_t>(RowElements(own.shape)) * SizeOf(own.dtype);
  Outcome outcome;
  outcome.shape = own.shape;
  outcome.shape[0] = std::accumulate(response.rows.begin(), response.rows.end(), int64_t{0});
  std::vector<size_t> bytes;
  for (const int64_t rows : response.rows) bytes.push_back(static_cast<size_t>(rows) * row);
  outcome.output.resize(static_cast<size_t>(outcome.shape[0]) * row);
  HEADRACE_TRY(group.Allgather(own.input, bytes, outcome.output.data(), what));
  return outcome;
}

Result<Outcome> Alltoall(Group& group, const Response& response, const Collective& own, const std::string& what) {
  const size_t row = static_cast<size_t>(RowElements(own.shape)) * SizeOf(own.dtype);
  const size_t members = group.size();
  std::vector<std::vector<size_t>> bytes(members, std::vector<size_t>(members));
  Outcome outcome;
  for (size_t from = 0; from < members; ++from) {
    for (size_t to = 0; to < members; ++to)
      bytes[from][to] = static_cast<size_t>(response.rows[from * members + to]) * row;
    outcome.received_splits.push_back(response.rows[from * members + group.self()]);
  }
  outcome.shape = own.shape;
  outcome.shape[0] = std::accumulate(outcome.received_splits.begin(), outcome.received_splits.end(), int64_t{0});
  outcome.output.resize(static_cast<size_t>(outcome.shape[0]) * row);
  HEADRACE_TRY(group.Alltoall(InputOf(own), bytes, outcome.output.data(), what));
  return outcome;
}

// The first `rows % size` ranks get one row more than the others.
Result<Outcome> Reducescatter(Group& group, const Response& response, const Collective& own, const std::string& what) {
  const auto size = static_cast<int64_t>(group.size()), self = static_cast<int64_t>(group.self());
  const int64_t rows = own.shape[0], row = RowElements(own.shape);
  const auto begin_of = [&](int64_t member) { return rows / size * member + std::min(member, rows % size); };
  Outcome outcome;
  outcome.shape = own.shape;
  outcome.shape[0] = begin_of(self + 1) - begin_of(self);
  outcome.output.resize(static_cast<size_t>(outcome.shape[0] * row) * SizeOf(own.dtype));
  GroupReduction reduction = ReductionOf(response, group);
  reduction.keep_begin = begin_of(self) * row;
  reduction.keep_end = begin_of(self + 1) * row;
  // One piece a part, so that only this rank's has a place to go.
  const std::byte* in = InputOf(own);
  const size_t element = SizeOf(own.dtype);
  const auto add = [&](int64_t begin, int64_t end, std::byte* out) {
    reduction.pieces.push_back({in + static_cast<size_t>(begin) * element, out, end - begin});
  };
  add(0, reduction.keep_begin, nullptr);
  add(reduction.keep_begin, reduction.keep_end, outcome.output.data());
  add(reduction.keep_end, rows * row, nullptr);
  HEADRACE_TRY(group.Allreduce(reduction, what));
  return outcome;
}

Result<Outcome> PerformOne(Group& group, const Response& response, const Collective& own, const std::string& what) {
  Outcome outcome;
  outcome.shape = own.shape;
  switch (own.type) {
    case CollectiveType::kAllgather:
      return Allgather(group, response, own, what);
    case CollectiveType::kAlltoall:
      return Alltoall(group, response, own, what);
    case CollectiveType::kReducescatter:
      return Reducescatter(group, response, own, what);
    case CollectiveType::kAllreduce:
      HEADRACE_TRY(Adasum(group, own, response.counts.front(), what));
      return outcome;
    case CollectiveType::kBroadcast: {
      const size_t bytes = static_cast<size_t>(response.counts.front()) * SizeOf(own.dtype);
      if (own.output != own.input && group.ranks()[group.self()] == own.root && bytes > 0)
        std::memcpy(own.output, own.input, bytes);
      HEADRACE_TRY(group.Broadcast(own.output, bytes, own.root, what));
      return outcome;
    }
    case CollectiveType::kBarrier:  // all have asked for it: that is what it waits for
      return outcome;
    case CollectiveType::kJoin:
      outcome.last_joined = response.number;
      return outcome;
  }
  return Fail(ErrorCode::kInternal, "collective of type {}", static_cast<int>(own.type));
}

}  // namespace

Result<std::vector<Outcome>> PerformOn(Group& group, const Response& response,
                                       const std::vector<const Collective*>& collectives, const std::string& what) {
  std::vector<Outcome> outcomes(collectives.size());
  const Collective& common = response.collective;
  if (common.type == CollectiveType::kAllreduce && common.op != ReduceOp::kAdasum) {
    HEADRACE_TRY(Allreduce(group, response, collectives, what));
    for (size_t i = 0; i < collectives.size(); ++i)
      if (collectives[i] != nullptr) outcomes[i].shape = collectives[i]->shape;
    return outcomes;
  }
  if (collectives.front() == nullptr) return Fail(ErrorCode::kInternal, "{}: this rank has not asked for it", what);
  try {
    HEADRACE_ASSIGN(outcomes.front(), PerformOne(group, response, *collectives.front(), what));
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kResourceExhausted, "{}: there is no memory for its result", what);
  }
  return outcomes;
}

}  // namespace headrace::hvd
