#include "horovod/machine_links.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "horovod/reduce_kernels.h"
#include "horovod/stall_watch.h"

namespace headrace::hvd {
namespace {

// Below it a message costs more than its bytes.
constexpr size_t kExchangeAllBytes = size_t{16} << 10;
// A piece that is added up while the next one travels.
constexpr int64_t kPieceElements = 64 << 10;

DataType TravelType(const LinkedReduction& reduction) {
  if (reduction.dtype != DataType::kFloat32 || reduction.compression == Compression::kNone) return reduction.dtype;
  return reduction.compression == Compression::kFloat16 ? DataType::kFloat16 : DataType::kBFloat16;
}

// From and to the form in which values travel.
void Pack(const LinkedReduction& reduction, int64_t begin, int64_t count, std::byte* out) {
  const DataType travel = TravelType(reduction);
  const std::byte* in = reduction.data + static_cast<size_t>(begin) * SizeOf(reduction.dtype);
  if (travel == reduction.dtype) {
    std::memcpy(out, in, static_cast<size_t>(count) * SizeOf(travel));
    return;
  }
  ReduceKernels().compress(count, reinterpret_cast<const float*>(in), travel, reinterpret_cast<uint16_t*>(out));
}

void Unpack(const LinkedReduction& reduction, const std::byte* in, int64_t begin, int64_t count) {
  const DataType travel = TravelType(reduction);
  std::byte* out = reduction.data + static_cast<size_t>(begin) * SizeOf(reduction.dtype);
  if (travel == reduction.dtype) {
    std::memcpy(out, in, static_cast<size_t>(count) * SizeOf(travel));
    return;
  }
  ReduceKernels().expand(count, travel, reinterpret_cast<const uint16_t*>(in), reinterpret_cast<float*>(out));
}

// The sum of values as they travel, rounded once: all machines see the same.
void ReducePacked(const LinkedReduction& reduction, const std::vector<const void*>& in, int64_t count, std::byte* out) {
  void* outputs[] = {out};
  Reduction kernel;
  kernel.dtype = TravelType(reduction);
  kernel.op = reduction.op;
  kernel.scale = reduction.scale;
  kernel.count = count;
  kernel.in = in.data();
  kernel.inputs = static_cast<int>(in.size());
  kernel.out = outputs;
  kernel.outputs = 1;
  ReduceKernels().reduce(kernel);
}

}  // namespace

Status Transfers::Add(Result<std::unique_ptr<Transfer>> transfer, int peer) {
  if (!transfer) return tl::unexpected<Error>(std::move(transfer.error()));
  all_.push_back({std::move(*transfer), peer});
  return {};
}

Status Transfers::Wait(const std::string& what, const std::function<Status(size_t)>& each) {
  using std::chrono::steady_clock;
  constexpr auto kBusy = std::chrono::microseconds(100);
  constexpr auto kNap = std::chrono::microseconds(30);
  constexpr auto kWatch = std::chrono::milliseconds(100);
  StallWatch watch(settings_, clock_, "this machine", what);
  auto moved = steady_clock::now();
  auto watched = moved;
  for (size_t next = 0; next < all_.size();) {
    HEADRACE_ASSIGN(const bool done, all_[next].transfer->Done());
    if (done) {
      if (each) HEADRACE_TRY(each(next));
      ++next;
      moved = steady_clock::now();
      continue;
    }
    const auto now = steady_clock::now();
    if (now - moved > kBusy) std::this_thread::sleep_for(kNap);
    if (now - watched < kWatch) continue;
    watched = now;
    HEADRACE_TRY(interrupted_());
    HEADRACE_TRY(watch.Check({{all_[next].peer}}, true));
  }
  all_.clear();
  return {};
}

MachineLinks::MachineLinks(Transport& transport, Lane lane, std::vector<int> leaders, size_t self,
                           const Settings& settings, const Clock& clock, std::function<Status()> interrupted)
    : transport_(transport),
      lane_(lane),
      leaders_(std::move(leaders)),
      self_(self),
      settings_(settings),
      clock_(clock),
      interrupted_(std::move(interrupted)) {}

Status MachineLinks::Allreduce(const LinkedReduction& reduction) {
  if (leaders_.size() == 1 || reduction.count == 0) return {};
  const size_t bytes = static_cast<size_t>(reduction.count) * SizeOf(TravelType(reduction));
  return bytes * (leaders_.size() - 1) <= kExchangeAllBytes ? ExchangeAll(reduction) : ExchangeSlices(reduction);
}

Status MachineLinks::ExchangeAll(const LinkedReduction& reduction) {
  const size_t bytes = static_cast<size_t>(reduction.count) * SizeOf(TravelType(reduction));
  received_.resize(bytes * leaders_.size());
  std::byte* own = received_.data() + self_ * bytes;
  Pack(reduction, 0, reduction.count, own);
  Transfers transfers = NewTransfers();
  std::vector<const void*> in;
  for (size_t other = 0; other < leaders_.size(); ++other) {
    std::byte* place = received_.data() + other * bytes;
    in.push_back(place);
    if (other == self_) continue;
    HEADRACE_TRY(transfers.Add(transport_.StartReceive(lane_, leaders_[other], place, bytes), leaders_[other]));
    HEADRACE_TRY(transfers.Add(transport_.StartSend(lane_, leaders_[other], own, bytes), leaders_[other]));
  }
  HEADRACE_TRY(transfers.Wait(reduction.what));
  packed_.resize(bytes);
  ReducePacked(reduction, in, reduction.count, packed_.data());
  Unpack(reduction, packed_.data(), 0, reduction.count);
  return {};
}

Status MachineLinks::ExchangeSlices(const LinkedReduction& reduction) {
  const auto machines = static_cast<int64_t>(leaders_.size());
  const size_t size = SizeOf(TravelType(reduction));
  const auto begin_of = [&](size_t leader) { return reduction.count * static_cast<int64_t>(leader) / machines; };
  const auto count_of = [&](size_t leader) { return begin_of(leader + 1) - begin_of(leader); };
  const int64_t own_begin = begin_of(self_), own_count = count_of(self_);
  const auto bytes_of = [&](int64_t count) { return static_cast<size_t>(count) * size; };

  // packed_: all of this machine's values as they travel; the other slices' sums are received into their places, once
  // the values there have been sent, so into reduced_.
  packed_.resize(bytes_of(reduction.count));
  reduced_.resize(bytes_of(reduction.count));
  received_.resize(bytes_of(own_count) * leaders_.size());
  Pack(reduction, 0, reduction.count, packed_.data());

  Transfers pieces = NewTransfers(), sums = NewTransfers(), sent = NewTransfers();
  const auto for_pieces = [](int64_t count, const auto& body) -> Status {
    for (int64_t begin = 0; begin < count; begin += kPieceElements)
      HEADRACE_TRY(body(begin, std::min(kPieceElements, count - begin)));
    return {};
  };
  std::vector<std::pair<int64_t, int64_t>> own_pieces;
  HEADRACE_TRY(for_pieces(own_count, [&](int64_t begin, int64_t count) -> Status {
    own_pieces.emplace_back(begin, count);
    for (size_t other = 0; other < leaders_.size(); ++other) {
      if (other == self_) continue;
      std::byte* place = received_.data() + other * bytes_of(own_count) + bytes_of(begin);
      HEADRACE_TRY(
          pieces.Add(transport_.StartReceive(lane_, leaders_[other], place, bytes_of(count)), leaders_[other]));
    }
    return {};
  }));
  // Sums are received after the values of the same sender: both sides start their messages in this order.
  for (size_t other = 0; other < leaders_.size(); ++other) {
    if (other == self_) continue;
    HEADRACE_TRY(for_pieces(count_of(other), [&](int64_t begin, int64_t count) {
      const std::byte* from = packed_.data() + bytes_of(begin_of(other) + begin);
      return sent.Add(transport_.StartSend(lane_, leaders_[other], from, bytes_of(count)), leaders_[other]);
    }));
    HEADRACE_TRY(for_pieces(count_of(other), [&](int64_t begin, int64_t count) {
      std::byte* place = reduced_.data() + bytes_of(begin_of(other) + begin);
      return sums.Add(transport_.StartReceive(lane_, leaders_[other], place, bytes_of(count)), leaders_[other]);
    }));
  }
  const size_t others = leaders_.size() - 1;
  HEADRACE_TRY(pieces.Wait(reduction.what, [&](size_t done) -> Status {
    if ((done + 1) % others != 0) return {};  // the piece is not here from all
    const auto [begin, count] = own_pieces[done / others];
    std::vector<const void*> in;
    for (size_t other = 0; other < leaders_.size(); ++other)
      in.push_back(other == self_ ? packed_.data() + bytes_of(own_begin + begin)
                                  : received_.data() + other * bytes_of(own_count) + bytes_of(begin));
    std::byte* sum = reduced_.data() + bytes_of(own_begin + begin);
    ReducePacked(reduction, in, count, sum);
    for (size_t other = 0; other < leaders_.size(); ++other)
      if (other != self_)
        HEADRACE_TRY(sent.Add(transport_.StartSend(lane_, leaders_[other], sum, bytes_of(count)), leaders_[other]));
    return {};
  }));
  HEADRACE_TRY(sums.Wait(reduction.what));
  Unpack(reduction, reduced_.data(), 0, reduction.count);
  return sent.Wait(reduction.what);
}

}  // namespace headrace::hvd
