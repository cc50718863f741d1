#include "horovod/machine_links.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

#include "horovod/reduce_kernels.h"
#include "horovod/stall_watch.h"

namespace headrace::hvd {
namespace {

// Below it a message costs more than its bytes.
constexpr size_t kExchangeAllBytes = size_t{16} << 10;
// A piece that is added up while the next ones travel. More under way at once than a link holds only fill its queues,
// and hold up the acknowledgements of what comes the other way.
constexpr int64_t kPieceElements = 32 << 10;
constexpr int kPiecesUnderWay = 4;
constexpr int64_t kBlockElements = 512 << 10;

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

Status Transfers::Wait(const Purpose& what, const std::function<Status(size_t)>& each) {
  using std::chrono::steady_clock;
  constexpr auto kBusy = std::chrono::microseconds(20), kHurriedBusy = std::chrono::microseconds(2000);
  constexpr auto kNap = std::chrono::microseconds(30);
  constexpr auto kWatch = std::chrono::milliseconds(100);
  constexpr int kTries = 16;  // between two looks at the clock
  std::optional<StallWatch> watch;
  auto moved = steady_clock::now(), watched = moved;
  size_t waited_for = 0;
  for (size_t next = 0; next < all_.size();) {
    bool done = false;
    for (int i = 0; i < kTries && !done; ++i) {
      HEADRACE_ASSIGN(done, all_[next].transfer->Done());
    }
    if (done) {
      if (each) HEADRACE_TRY(each(next));
      ++next;
      continue;
    }
    const auto now = steady_clock::now();
    if (std::exchange(waited_for, next) != next) moved = now;
    if (now - moved > (hurried_() ? kHurriedBusy : kBusy)) std::this_thread::sleep_for(kNap);
    if (now - watched < kWatch) continue;
    watched = now;
    HEADRACE_TRY(interrupted_());
    if (!watch) watch.emplace(settings_, clock_, names_.self, what());
    HEADRACE_TRY(watch->Check({{all_[next].peer, names_.hosts[static_cast<size_t>(all_[next].peer)]}}, true));
  }
  all_.clear();
  return {};
}

MachineLinks::MachineLinks(Transport& transport, Lane lane, std::vector<int> leaders, size_t self,
                           const Settings& settings, const Clock& clock, std::function<Status()> interrupted,
                           RankNames names)
    : transport_(transport),
      lane_(lane),
      leaders_(std::move(leaders)),
      self_(self),
      settings_(settings),
      clock_(clock),
      interrupted_(std::move(interrupted)),
      names_(std::move(names)) {}

Status MachineLinks::Allreduce(const LinkedReduction& reduction) {
  if (leaders_.size() == 1 || reduction.count == 0) return {};
  const size_t bytes = static_cast<size_t>(reduction.count) * SizeOf(TravelType(reduction));
  if (leaders_.size() == 2 || bytes * (leaders_.size() - 1) <= kExchangeAllBytes) return ExchangeAll(reduction);
  for (int64_t begin = 0; begin < reduction.count; begin += kBlockElements) {
    LinkedReduction block = reduction;
    block.data += static_cast<size_t>(begin) * SizeOf(reduction.dtype);
    block.count = std::min(kBlockElements, reduction.count - begin);
    HEADRACE_TRY(ExchangeSlices(block));
  }
  return {};
}

Status MachineLinks::ExchangeAll(const LinkedReduction& reduction) {
  const size_t size = SizeOf(TravelType(reduction)), others = leaders_.size() - 1;
  const auto bytes_of = [&](int64_t count) { return static_cast<size_t>(count) * size; };
  const bool as_it_is = TravelType(reduction) == reduction.dtype;
  // By leader, a ring of as many places as pieces are under way and one more, which is being added up. This machine's
  // own values are sent from where they are, or packed into its ring.
  constexpr int64_t kPlaces = kPiecesUnderWay + 1;
  const size_t place_bytes = bytes_of(std::min(reduction.count, kPieceElements));
  received_.resize(place_bytes * kPlaces * leaders_.size());
  const auto place = [&](size_t leader, int64_t begin) {
    const auto number = static_cast<size_t>(begin / kPieceElements % kPlaces);
    return received_.data() + (leader * kPlaces + number) * place_bytes;
  };
  const auto own = [&](int64_t begin) -> std::byte* {
    return as_it_is ? reduction.data + bytes_of(begin) : place(self_, begin);
  };
  packed_.resize(place_bytes);

  Transfers transfers = NewTransfers();
  int64_t started = 0;
  const auto start_piece = [&]() -> Status {
    const int64_t begin = started, count = std::min(kPieceElements, reduction.count - begin);
    started += count;
    if (!as_it_is) Pack(reduction, begin, count, own(begin));
    for (size_t other = 0; other < leaders_.size(); ++other)
      if (other != self_)
        HEADRACE_TRY(transfers.Add(
            transport_.StartReceive(lane_, leaders_[other], place(other, begin), bytes_of(count)), leaders_[other]));
    for (size_t other = 0; other < leaders_.size(); ++other)
      if (other != self_)
        HEADRACE_TRY(
            transfers.Add(transport_.StartSend(lane_, leaders_[other], own(begin), bytes_of(count)), leaders_[other]));
    return {};
  };
  for (int i = 0; i < kPiecesUnderWay && started < reduction.count; ++i) HEADRACE_TRY(start_piece());
  return transfers.Wait(reduction.what, [&](size_t done) -> Status {
    if ((done + 1) % (2 * others) != 0) return {};  // the piece has not come from, or not gone to all
    const int64_t begin = static_cast<int64_t>(done / (2 * others)) * kPieceElements;
    const int64_t count = std::min(kPieceElements, reduction.count - begin);
    if (started < reduction.count) HEADRACE_TRY(start_piece());
    std::vector<const void*> in;
    for (size_t leader = 0; leader < leaders_.size(); ++leader)
      in.push_back(leader == self_ ? own(begin) : place(leader, begin));
    if (as_it_is) {
      ReducePacked(reduction, in, count, reduction.data + bytes_of(begin));
    } else {
      ReducePacked(reduction, in, count, packed_.data());
      Unpack(reduction, packed_.data(), begin, count);
    }
    return {};
  });
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
