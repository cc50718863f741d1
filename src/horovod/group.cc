#include "horovod/group.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "horovod/reduce_kernels.h"

namespace headrace::hvd {
namespace {

// Calls body(piece, offset in it, offset in the run, elements) for what lies in [begin, end) of the pieces, one after
// another.
template <typename Body>
void ForRun(const std::vector<Piece>& pieces, int64_t begin, int64_t end, const Body& body) {
  int64_t start = 0;
  for (const Piece& piece : pieces) {
    const int64_t from = std::max(begin, start), to = std::min(end, start + piece.count);
    if (from < to) body(piece, from - start, from - begin, to - from);
    start += piece.count;
  }
}

void CopyIn(const GroupReduction& reduction, int64_t begin, int64_t count, std::byte* window) {
  const size_t size = SizeOf(reduction.dtype);
  ForRun(reduction.pieces, begin, begin + count, [&](const Piece& piece, int64_t from, int64_t to, int64_t run) {
    std::byte* out = window + static_cast<size_t>(to) * size;
    const auto bytes = static_cast<size_t>(run) * size;
    if (piece.in == nullptr)
      std::memset(out, 0, bytes);
    else
      std::memcpy(out, piece.in + static_cast<size_t>(from) * size, bytes);
  });
  Scale(window, count, reduction.dtype, reduction.prescale);
}

void CopyOut(const GroupReduction& reduction, int64_t begin, int64_t count, const std::byte* window) {
  const size_t size = SizeOf(reduction.dtype);
  const int64_t from = std::max(begin, reduction.keep_begin), to = std::min(begin + count, reduction.keep_end);
  if (from >= to) return;
  ForRun(reduction.pieces, from, to, [&](const Piece& piece, int64_t offset, int64_t run_offset, int64_t run) {
    if (piece.out == nullptr) return;
    std::memcpy(piece.out + static_cast<size_t>(offset) * size,
                window + static_cast<size_t>(from - begin + run_offset) * size, static_cast<size_t>(run) * size);
  });
}

std::vector<int> Leaders(const Topology& topology, const std::vector<int>& ranks) {
  std::vector<int> leaders;
  for (const auto& machine : topology.machines)
    for (const int rank : machine)
      if (std::binary_search(ranks.begin(), ranks.end(), rank)) {
        leaders.push_back(rank);
        break;
      }
  return leaders;
}

size_t OwnLeader(const Topology& topology, const std::vector<int>& leaders) {
  const auto& here = topology.neighbours();
  const auto own = std::find_if(leaders.begin(), leaders.end(),
                                [&](int leader) { return std::binary_search(here.begin(), here.end(), leader); });
  return static_cast<size_t>(own - leaders.begin());
}

}  // namespace

Group::Group(const GroupContext& context, std::vector<int> ranks)
    : context_(context),
      ranks_(std::move(ranks)),
      leaders_(Leaders(context.topology, ranks_)),
      own_leader_(OwnLeader(context.topology, leaders_)),
      links_(NewLinks(Lane::kCollectives)) {
  const auto& here = context_.topology.neighbours();
  const int own_rank = here[static_cast<size_t>(self_index())];
  for (size_t member = 0; member < ranks_.size(); ++member) {
    if (ranks_[member] == own_rank) self_ = member;
    const auto found = std::lower_bound(here.begin(), here.end(), ranks_[member]);
    if (found == here.end() || *found != ranks_[member]) continue;
    locals_.push_back(static_cast<int>(found - here.begin()));
    local_members_.push_back(member);
  }
}

MachineLinks Group::NewLinks(Lane lane) const {
  return {context_.transport,
          lane,
          leaders_,
          own_leader_,
          context_.settings,
          context_.clock,
          context_.interrupted,
          {context_.machine.self(), context_.topology.hosts}};
}

bool Group::IsLocal(size_t member) const {
  return std::binary_search(local_members_.begin(), local_members_.end(), member);
}

// The sum of `count` elements of the members' windows, in the first member's other window, for all to read.
Status Group::ReduceWindow(const GroupReduction& reduction, int64_t count, const std::string& what) {
  Windows& windows = context_.windows;
  const size_t size = SizeOf(reduction.dtype);
  HEADRACE_TRY(Barrier(what));
  const auto members = static_cast<int64_t>(locals_.size());
  const auto place = std::find(locals_.begin(), locals_.end(), self_index()) - locals_.begin();
  constexpr int64_t kLine = 64;
  const auto bound = [&](int64_t slice) {
    return std::min(count, (count * slice / members + kLine - 1) / kLine * kLine);
  };
  const int64_t begin = bound(place), end = place + 1 == members ? count : bound(place + 1);
  std::byte* result = windows.out(locals_.front());
  const bool alone = leaders_.size() == 1;
  if (begin < end) {
    const size_t offset = static_cast<size_t>(begin) * size;
    std::vector<const void*> in;
    for (const int local : locals_) in.push_back(windows.in(local) + offset);
    void* out[] = {result + offset};
    ReduceKernels().reduce({reduction.dtype, reduction.op, alone ? reduction.postscale : 1, end - begin, in.data(),
                            static_cast<int>(in.size()), out, 1});
  }
  HEADRACE_TRY(Barrier(what));
  if (alone) return {};
  if (IsLeader())
    HEADRACE_TRY(links_.Allreduce({result, count, reduction.dtype, reduction.op, reduction.postscale,
                                   reduction.compression, [&] { return what; }}));
  return Barrier(what);
}

// Where every rank is alone on its machine nobody reads windows: the sums are made where they are wanted, or, of a rank
// that has joined, nowhere.
Status Group::AllreduceInPlace(const GroupReduction& reduction, const std::string& what) {
  const Piece& piece = reduction.pieces.front();
  const size_t bytes = static_cast<size_t>(piece.count) * SizeOf(reduction.dtype);
  std::vector<std::byte> zeros(piece.out == nullptr ? bytes : 0);
  std::byte* data = piece.out == nullptr ? zeros.data() : piece.out;
  if (piece.in != nullptr && piece.in != data) std::memcpy(data, piece.in, bytes);
  Scale(data, piece.count, reduction.dtype, reduction.prescale);
  return links_.Allreduce({data, piece.count, reduction.dtype, reduction.op, reduction.postscale, reduction.compression,
                           [&] { return what; }});
}

Status Group::Allreduce(const GroupReduction& reduction, const std::string& what) {
  int64_t total = 0;
  for (const Piece& piece : reduction.pieces) total += piece.count;
  if (total == 0) return {};
  if (leaders_.size() > 1 && leaders_.size() == ranks_.size() && reduction.pieces.size() == 1)
    return AllreduceInPlace(reduction, what);
  const auto step = static_cast<int64_t>(Windows::kBytes / SizeOf(reduction.dtype));
  std::byte* own = context_.windows.in(self_index());
  for (int64_t begin = 0; begin < total; begin += step) {
    const int64_t count = std::min(step, total - begin);
    CopyIn(reduction, begin, count, own);
    HEADRACE_TRY(ReduceWindow(reduction, count, what));
    // The next piece's sums come behind a barrier that this rank enters after it has copied.
    CopyOut(reduction, begin, count, context_.windows.out(locals_.front()));
  }
  // What follows may write to the windows at once.
  return Barrier(what);
}

Status Group::BroadcastLocally(std::byte* data, size_t bytes, int source, const std::string& what) {
  if (locals_.size() == 1) return {};
  std::byte* window = context_.windows.in(source);
  for (size_t begin = 0; begin < bytes; begin += Windows::kBytes) {
    const size_t count = std::min(Windows::kBytes, bytes - begin);
    if (source == self_index()) std::memcpy(window, data + begin, count);
    HEADRACE_TRY(Barrier(what));
    if (source != self_index()) std::memcpy(data + begin, window, count);
    HEADRACE_TRY(Barrier(what));
  }
  return {};
}

// To the other machines' leaders first, then each machine by itself.
Status Group::Broadcast(void* data, size_t bytes, int root, const std::string& what) {
  const int own_rank = ranks_[self_];
  const auto& here = context_.topology.neighbours();
  const bool root_is_here = std::binary_search(here.begin(), here.end(), root);
  Transfers transfers = links_.NewTransfers();
  if (own_rank == root) {
    for (size_t machine = 0; machine < leaders_.size(); ++machine)
      if (machine != own_leader_)
        HEADRACE_TRY(transfers.Add(context_.transport.StartSend(Lane::kCollectives, leaders_[machine], data, bytes),
                                   leaders_[machine]));
  } else if (!root_is_here && IsLeader()) {
    HEADRACE_TRY(transfers.Add(context_.transport.StartReceive(Lane::kCollectives, root, data, bytes), root));
  }
  HEADRACE_TRY(transfers.Wait([&] { return what; }));
  const int source = root_is_here ? static_cast<int>(std::lower_bound(here.begin(), here.end(), root) - here.begin())
                                  : locals_.front();
  return BroadcastLocally(static_cast<std::byte*>(data), bytes, source, what);
}

Status Group::Allgather(const void* in, const std::vector<size_t>& bytes, std::byte* out, const std::string& what) {
  std::vector<size_t> offsets(ranks_.size(), 0);
  for (size_t member = 1; member < ranks_.size(); ++member) offsets[member] = offsets[member - 1] + bytes[member - 1];
  // Everyone sends to the leaders of the other machines, who pass it on.
  Transfers transfers = links_.NewTransfers();
  for (size_t machine = 0; machine < leaders_.size(); ++machine)
    if (machine != own_leader_)
      HEADRACE_TRY(transfers.Add(context_.transport.StartSend(Lane::kCollectives, leaders_[machine], in, bytes[self_]),
                                 leaders_[machine]));
  for (size_t member = 0; member < ranks_.size() && IsLeader(); ++member)
    if (!IsLocal(member))
      HEADRACE_TRY(transfers.Add(
          context_.transport.StartReceive(Lane::kCollectives, ranks_[member], out + offsets[member], bytes[member]),
          ranks_[member]));
  if (bytes[self_] > 0) std::memcpy(out + offsets[self_], in, bytes[self_]);
  HEADRACE_TRY(transfers.Wait([&] { return what; }));
  HEADRACE_TRY(AllgatherLocally(bytes, offsets, out, what));
  // What lies side by side in `out` is passed on as one.
  for (size_t member = 0; member < ranks_.size();) {
    size_t end = member, run = 0;
    for (; end < ranks_.size() && !IsLocal(end); ++end) run += bytes[end];
    HEADRACE_TRY(BroadcastLocally(out + offsets[member], run, locals_.front(), what));
    member = std::max(end, member + 1);
  }
  return {};
}

// Of the neighbours' bytes, which everyone has in `out` already as far as they are its own.
Status Group::AllgatherLocally(const std::vector<size_t>& bytes, const std::vector<size_t>& offsets, std::byte* out,
                               const std::string& what) {
  if (locals_.size() == 1) return {};
  size_t largest = 0;
  for (const size_t member : local_members_) largest = std::max(largest, bytes[member]);
  for (size_t begin = 0; begin < largest; begin += Windows::kBytes) {
    const auto part = [&](size_t member) {
      return begin < bytes[member] ? std::min(Windows::kBytes, bytes[member] - begin) : 0;
    };
    if (const size_t count = part(self_); count > 0)
      std::memcpy(context_.windows.in(self_index()), out + offsets[self_] + begin, count);
    HEADRACE_TRY(Barrier(what));
    for (size_t i = 0; i < locals_.size(); ++i)
      if (const size_t member = local_members_[i]; member != self_ && part(member) > 0)
        std::memcpy(out + offsets[member] + begin, context_.windows.in(locals_[i]), part(member));
    HEADRACE_TRY(Barrier(what));
  }
  return {};
}

Status Group::Alltoall(const std::byte* in, const std::vector<std::vector<size_t>>& bytes, std::byte* out,
                       const std::string& what) {
  std::vector<size_t> from_offsets(ranks_.size(), 0), to_offsets(ranks_.size(), 0);
  for (size_t member = 1; member < ranks_.size(); ++member) {
    from_offsets[member] = from_offsets[member - 1] + bytes[member - 1][self_];
    to_offsets[member] = to_offsets[member - 1] + bytes[self_][member - 1];
  }
  Transfers transfers = links_.NewTransfers();
  for (size_t member = 0; member < ranks_.size(); ++member) {
    if (IsLocal(member)) continue;
    HEADRACE_TRY(transfers.Add(context_.transport.StartReceive(Lane::kCollectives, ranks_[member],
                                                               out + from_offsets[member], bytes[member][self_]),
                               ranks_[member]));
    HEADRACE_TRY(transfers.Add(
        context_.transport.StartSend(Lane::kCollectives, ranks_[member], in + to_offsets[member], bytes[self_][member]),
        ranks_[member]));
  }
  HEADRACE_TRY(transfers.Wait([&] { return what; }));
  // Among neighbours a window is divided among its readers.
  const size_t share = Windows::kBytes / locals_.size() / 64 * 64;
  size_t largest = 0;
  for (const size_t from : local_members_)
    for (const size_t to : local_members_) largest = std::max(largest, bytes[from][to]);
  const auto part = [&](size_t from, size_t to, size_t begin) {
    return begin < bytes[from][to] ? std::min(share, bytes[from][to] - begin) : 0;
  };
  for (size_t begin = 0; begin < largest; begin += share) {
    for (size_t i = 0; i < locals_.size(); ++i)
      if (const size_t count = part(self_, local_members_[i], begin); count > 0)
        std::memcpy(context_.windows.in(self_index()) + i * share, in + to_offsets[local_members_[i]] + begin, count);
    HEADRACE_TRY(Barrier(what));
    const size_t place = static_cast<size_t>(std::find(locals_.begin(), locals_.end(), self_index()) - locals_.begin());
    for (size_t i = 0; i < locals_.size(); ++i)
      if (const size_t count = part(local_members_[i], self_, begin); count > 0)
        std::memcpy(out + from_offsets[local_members_[i]] + begin, context_.windows.in(locals_[i]) + place * share,
                    count);
    HEADRACE_TRY(Barrier(what));
  }
  return {};
}

}  // namespace headrace::hvd
