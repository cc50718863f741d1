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
    const auto still = now - moved;
    if (still > (hurried_() ? kHurriedBusy : kBusy))
      std::this_thread::sleep_for(kNap);
    else if (still > kBusy)
      std::this_thread::yield();
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

// One reduction in which everybody gets everything, piece after piece.
class MachineLinks::PieceExchange {
 public:
  PieceExchange(MachineLinks& links, const LinkedReduction& reduction)
      : links_(links),
        reduction_(reduction),
        as_it_is_(TravelType(reduction) == reduction.dtype),
        place_bytes_(BytesOf(std::min(reduction.count, kPieceElements))),
        transfers_(links.NewTransfers()) {
    links_.received_.resize(place_bytes_ * kPlaces * links_.leaders_.size());
    links_.packed_.resize(place_bytes_);
  }

  Status Run() {
    for (int i = 0; i < kPiecesUnderWay && started_ < reduction_.count; ++i) HEADRACE_TRY(StartPiece());
    const size_t messages = 2 * (links_.leaders_.size() - 1);  // of a piece: to and from everybody else
    return transfers_.Wait(reduction_.what, [&](size_t done) -> Status {
      if ((done + 1) % messages != 0) return {};
      if (started_ < reduction_.count) HEADRACE_TRY(StartPiece());
      AddUp(static_cast<int64_t>(done / messages) * kPieceElements);
      return {};
    });
  }

 private:
  // As many pieces as are under way, and the one that is being added up.
  static constexpr int64_t kPlaces = kPiecesUnderWay + 1;

  size_t BytesOf(int64_t count) const { return static_cast<size_t>(count) * SizeOf(TravelType(reduction_)); }
  std::byte* Place(size_t leader, int64_t begin) const {
    const auto number = static_cast<size_t>(begin / kPieceElements % kPlaces);
    return links_.received_.data() + (leader * kPlaces + number) * place_bytes_;
  }
  // This machine's own values are sent from where they are, or packed.
  std::byte* Own(int64_t begin) const {
    return as_it_is_ ? reduction_.data + BytesOf(begin) : Place(links_.self_, begin);
  }

  Status StartPiece() {
    const int64_t begin = started_, count = std::min(kPieceElements, reduction_.count - begin);
    started_ += count;
    if (!as_it_is_) Pack(reduction_, begin, count, Own(begin));
    for (size_t other = 0; other < links_.leaders_.size(); ++other)
      if (other != links_.self_) HEADRACE_TRY(links_.Receive(transfers_, other, Place(other, begin), BytesOf(count)));
    for (size_t other = 0; other < links_.leaders_.size(); ++other)
      if (other != links_.self_) HEADRACE_TRY(links_.Send(transfers_, other, Own(begin), BytesOf(count)));
    return {};
  }

  void AddUp(int64_t begin) {
    const int64_t count = std::min(kPieceElements, reduction_.count - begin);
    std::vector<const void*> in;
    for (size_t leader = 0; leader < links_.leaders_.size(); ++leader)
      in.push_back(leader == links_.self_ ? Own(begin) : Place(leader, begin));
    if (as_it_is_) return ReducePacked(reduction_, in, count, Own(begin));
    ReducePacked(reduction_, in, count, links_.packed_.data());
    Unpack(reduction_, links_.packed_.data(), begin, count);
  }

  MachineLinks& links_;
  const LinkedReduction& reduction_;
  const bool as_it_is_;
  const size_t place_bytes_;
  Transfers transfers_;
  int64_t started_ = 0;  // elements
};

// One reduction in which each leader adds up one slice and hands it out.
class MachineLinks::SliceExchange {
 public:
  SliceExchange(MachineLinks& links, const LinkedReduction& reduction)
      : links_(links),
        reduction_(reduction),
        values_(links.NewTransfers()),
        sums_(links.NewTransfers()),
        sent_(links.NewTransfers()) {
    links_.packed_.resize(BytesOf(reduction.count));
    links_.reduced_.resize(BytesOf(reduction.count));
    links_.received_.resize(BytesOf(CountOf(links.self_)) * links.leaders_.size());
  }

  // Both sides of a link start their messages in this order: values first, sums once they are there.
  Status Run() {
    const size_t self = links_.self_;
    Pack(reduction_, 0, reduction_.count, links_.packed_.data());
    for (size_t other = 0; other < links_.leaders_.size(); ++other) {
      if (other == self) continue;
      HEADRACE_TRY(links_.Receive(values_, other, ValuesOf(other), BytesOf(CountOf(self))));
      HEADRACE_TRY(links_.Receive(sums_, other, SumsOf(other), BytesOf(CountOf(other))));
      HEADRACE_TRY(links_.Send(sent_, other, PackedOf(other), BytesOf(CountOf(other))));
    }
    HEADRACE_TRY(values_.Wait(reduction_.what));
    std::vector<const void*> in;
    for (size_t leader = 0; leader < links_.leaders_.size(); ++leader)
      in.push_back(leader == self ? PackedOf(self) : ValuesOf(leader));
    ReducePacked(reduction_, in, CountOf(self), SumsOf(self));
    for (size_t other = 0; other < links_.leaders_.size(); ++other)
      if (other != self) HEADRACE_TRY(links_.Send(sent_, other, SumsOf(self), BytesOf(CountOf(self))));
    HEADRACE_TRY(sums_.Wait(reduction_.what));
    Unpack(reduction_, links_.reduced_.data(), 0, reduction_.count);
    return sent_.Wait(reduction_.what);
  }

 private:
  int64_t BeginOf(size_t leader) const {
    return reduction_.count * static_cast<int64_t>(leader) / static_cast<int64_t>(links_.leaders_.size());
  }
  int64_t CountOf(size_t leader) const { return BeginOf(leader + 1) - BeginOf(leader); }
  size_t BytesOf(int64_t count) const { return static_cast<size_t>(count) * SizeOf(TravelType(reduction_)); }
  // This machine's values of a leader's slice; a leader's values of this machine's slice; a leader's sums.
  std::byte* PackedOf(size_t leader) const { return links_.packed_.data() + BytesOf(BeginOf(leader)); }
  std::byte* ValuesOf(size_t leader) const { return links_.received_.data() + leader * BytesOf(CountOf(links_.self_)); }
  std::byte* SumsOf(size_t leader) const { return links_.reduced_.data() + BytesOf(BeginOf(leader)); }

  MachineLinks& links_;
  const LinkedReduction& reduction_;
  Transfers values_, sums_, sent_;
};

Status MachineLinks::Send(Transfers& transfers, size_t leader, const std::byte* data, size_t bytes) {
  return transfers.Add(transport_.StartSend(lane_, leaders_[leader], data, bytes), leaders_[leader]);
}

Status MachineLinks::Receive(Transfers& transfers, size_t leader, std::byte* data, size_t bytes) {
  return transfers.Add(transport_.StartReceive(lane_, leaders_[leader], data, bytes), leaders_[leader]);
}

Status MachineLinks::Allreduce(const LinkedReduction& reduction) {
  if (leaders_.size() == 1 || reduction.count == 0) return {};
  const size_t bytes = static_cast<size_t>(reduction.count) * SizeOf(TravelType(reduction));
  if (leaders_.size() == 2 || bytes * (leaders_.size() - 1) <= kExchangeAllBytes)
    return PieceExchange(*this, reduction).Run();
  for (int64_t begin = 0; begin < reduction.count; begin += kBlockElements) {
    LinkedReduction block = reduction;
    block.data += static_cast<size_t>(begin) * SizeOf(reduction.dtype);
    block.count = std::min(kBlockElements, reduction.count - begin);
    HEADRACE_TRY(SliceExchange(*this, block).Run());
  }
  return {};
}

}  // namespace headrace::hvd
