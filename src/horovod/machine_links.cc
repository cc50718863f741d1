#include "horovod/machine_links.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "horovod/patience.h"
#include "horovod/reduce_kernels.h"
#include "horovod/stall_watch.h"

namespace headrace::hvd {
namespace {

// Below it a message costs more than its bytes.
constexpr size_t kExchangeAllBytes = size_t{16} << 10;
// A piece is added up while the next ones travel. Smaller ones wait for the other side's answer more often, and more
// under way at once than a link holds only fill its queues.
constexpr size_t kPieceBytes = size_t{512} << 10;
constexpr int kPiecesUnderWay = 2;
// Messages of so many bytes leave at once, and larger ones when the other side has answered: little is cut finer.
constexpr size_t kEagerBytes = size_t{32} << 10, kLittleBytes = size_t{128} << 10;
constexpr int64_t kBlockElements = 512 << 10;

DataType TravelType(const LinkedReduction& reduction) {
  if (reduction.dtype != DataType::kFloat32 || reduction.compression == Compression::kNone) return reduction.dtype;
  return reduction.compression == Compression::kFloat16 ? DataType::kFloat16 : DataType::kBFloat16;
}

int64_t PieceElements(const LinkedReduction& reduction) {
  const size_t size = SizeOf(TravelType(reduction));
  const size_t bytes = static_cast<size_t>(reduction.count) * size;
  return static_cast<int64_t>((bytes > kLittleBytes ? kPieceBytes : kEagerBytes) / size);
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

Result<bool> Transfers::NextIsDone() {
  HEADRACE_ASSIGN(const bool done, all_[done_].transfer->Done());
  if (done) ++done_;
  return done;
}

Status Transfers::Wait(const Purpose& what) {
  std::optional<StallWatch> watch;
  Patience patience;
  while (!all_done()) {
    HEADRACE_ASSIGN(const bool done, NextIsDone());
    if (done) patience.Moved();
    if (done || !patience.Rest()) continue;
    HEADRACE_TRY(interrupted_());
    if (!watch) watch.emplace(settings_, clock_, names_.self, what());
    HEADRACE_TRY(watch->Check({{peer(), names_.hosts[static_cast<size_t>(peer())]}}, true));
  }
  Clear();
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

class MachineLinks::NoExchange : public LinkedExchange {
 public:
  Result<Advanced> Advance() override { return Advanced::kOver; }
  int peer() const override { return 0; }
};

// One reduction in which everybody gets everything, piece after piece.
class MachineLinks::PieceExchange : public LinkedExchange {
 public:
  PieceExchange(MachineLinks& links, const LinkedReduction& reduction)
      : links_(links),
        reduction_(reduction),
        as_it_is_(TravelType(reduction) == reduction.dtype),
        piece_(std::min(reduction.count, PieceElements(reduction))),
        place_bytes_(BytesOf(piece_)),
        transfers_(links.NewTransfers()) {
    links_.received_.resize(place_bytes_ * kPlaces * links_.leaders_.size());
    links_.packed_.resize(place_bytes_);
  }

  Status Start() {
    transfers_.Reserve(2 * (links_.leaders_.size() - 1) *
                       static_cast<size_t>((reduction_.count + piece_ - 1) / piece_));
    for (int i = 0; i < kPiecesUnderWay && started_ < reduction_.count; ++i) HEADRACE_TRY(StartPiece());
    return {};
  }

  Result<Advanced> Advance() override {
    const size_t messages = 2 * (links_.leaders_.size() - 1);  // of a piece: to and from everybody else
    Advanced advanced = Advanced::kNothing;
    while (!transfers_.all_done()) {
      HEADRACE_ASSIGN(const bool done, transfers_.NextIsDone());
      if (!done) return advanced;
      advanced = Advanced::kMoved;
      if (++done_ % messages != 0) continue;
      if (started_ < reduction_.count) HEADRACE_TRY(StartPiece());
      AddUp(static_cast<int64_t>(done_ / messages - 1) * piece_);
    }
    return Advanced::kOver;
  }
  int peer() const override { return transfers_.peer(); }

 private:
  // As many pieces as are under way, and the one that is being added up.
  static constexpr int64_t kPlaces = kPiecesUnderWay + 1;

  size_t BytesOf(int64_t count) const { return static_cast<size_t>(count) * SizeOf(TravelType(reduction_)); }
  std::byte* Place(size_t leader, int64_t begin) const {
    const auto number = static_cast<size_t>(begin / piece_ % kPlaces);
    return links_.received_.data() + (leader * kPlaces + number) * place_bytes_;
  }
  // This machine's own values are sent from where they are, or packed.
  std::byte* Own(int64_t begin) const {
    return as_it_is_ ? reduction_.data + BytesOf(begin) : Place(links_.self_, begin);
  }

  Status StartPiece() {
    const int64_t begin = started_, count = std::min(piece_, reduction_.count - begin);
    started_ += count;
    if (!as_it_is_) Pack(reduction_, begin, count, Own(begin));
    // The other way round, large sums take half as long again: Open MPI answers a message that it has been waiting for
    // before it goes on with what it sends.
    for (size_t other = 0; other < links_.leaders_.size(); ++other)
      if (other != links_.self_) HEADRACE_TRY(links_.Send(transfers_, other, Own(begin), BytesOf(count)));
    for (size_t other = 0; other < links_.leaders_.size(); ++other)
      if (other != links_.self_) HEADRACE_TRY(links_.Receive(transfers_, other, Place(other, begin), BytesOf(count)));
    return {};
  }

  void AddUp(int64_t begin) {
    const int64_t count = std::min(piece_, reduction_.count - begin);
    std::vector<const void*> in(links_.leaders_.size());
    for (size_t leader = 0; leader < in.size(); ++leader)
      in[leader] = leader == links_.self_ ? Own(begin) : Place(leader, begin);
    if (as_it_is_) return ReducePacked(reduction_, in, count, Own(begin));
    ReducePacked(reduction_, in, count, links_.packed_.data());
    Unpack(reduction_, links_.packed_.data(), begin, count);
  }

  MachineLinks& links_;
  const LinkedReduction& reduction_;
  const bool as_it_is_;
  const int64_t piece_;  // elements
  const size_t place_bytes_;
  Transfers transfers_;
  int64_t started_ = 0;  // elements
  size_t done_ = 0;      // transfers
};

// One reduction in which each leader adds up one slice and hands it out, block after block.
class MachineLinks::SliceExchange : public LinkedExchange {
 public:
  SliceExchange(MachineLinks& links, const LinkedReduction& reduction)
      : links_(links), whole_(reduction), block_(reduction), transfers_(links.NewTransfers()) {}

  // Both sides of a link start their messages in this order: values first, sums once they are there.
  Status Start() {
    const size_t self = links_.self_;
    block_.data = whole_.data + static_cast<size_t>(begun_) * SizeOf(whole_.dtype);
    block_.count = std::min(kBlockElements, whole_.count - begun_);
    begun_ += block_.count;
    transfers_.Clear();
    done_ = 0;
    links_.packed_.resize(BytesOf(block_.count));
    links_.reduced_.resize(BytesOf(block_.count));
    links_.received_.resize(BytesOf(CountOf(self)) * links_.leaders_.size());
    Pack(block_, 0, block_.count, links_.packed_.data());
    for (size_t other = 0; other < links_.leaders_.size(); ++other)
      if (other != self) HEADRACE_TRY(links_.Receive(transfers_, other, ValuesOf(other), BytesOf(CountOf(self))));
    values_ = transfers_.size();
    for (size_t other = 0; other < links_.leaders_.size(); ++other) {
      if (other == self) continue;
      HEADRACE_TRY(links_.Receive(transfers_, other, SumsOf(other), BytesOf(CountOf(other))));
      HEADRACE_TRY(links_.Send(transfers_, other, PackedOf(other), BytesOf(CountOf(other))));
    }
    return {};
  }

  Result<Advanced> Advance() override {
    Advanced advanced = Advanced::kNothing;
    while (true) {
      while (!transfers_.all_done()) {
        HEADRACE_ASSIGN(const bool done, transfers_.NextIsDone());
        if (!done) return advanced;
        advanced = Advanced::kMoved;
        if (++done_ == values_) HEADRACE_TRY(HandOut());
      }
      Unpack(block_, links_.reduced_.data(), 0, block_.count);
      if (begun_ == whole_.count) return Advanced::kOver;
      HEADRACE_TRY(Start());
    }
  }
  int peer() const override { return transfers_.peer(); }

 private:
  // The values of this machine's slice are there.
  Status HandOut() {
    const size_t self = links_.self_;
    std::vector<const void*> in;
    for (size_t leader = 0; leader < links_.leaders_.size(); ++leader)
      in.push_back(leader == self ? PackedOf(self) : ValuesOf(leader));
    ReducePacked(block_, in, CountOf(self), SumsOf(self));
    for (size_t other = 0; other < links_.leaders_.size(); ++other)
      if (other != self) HEADRACE_TRY(links_.Send(transfers_, other, SumsOf(self), BytesOf(CountOf(self))));
    return {};
  }

  int64_t BeginOf(size_t leader) const {
    return block_.count * static_cast<int64_t>(leader) / static_cast<int64_t>(links_.leaders_.size());
  }
  int64_t CountOf(size_t leader) const { return BeginOf(leader + 1) - BeginOf(leader); }
  size_t BytesOf(int64_t count) const { return static_cast<size_t>(count) * SizeOf(TravelType(block_)); }
  // This machine's values of a leader's slice; a leader's values of this machine's slice; a leader's sums.
  std::byte* PackedOf(size_t leader) const { return links_.packed_.data() + BytesOf(BeginOf(leader)); }
  std::byte* ValuesOf(size_t leader) const { return links_.received_.data() + leader * BytesOf(CountOf(links_.self_)); }
  std::byte* SumsOf(size_t leader) const { return links_.reduced_.data() + BytesOf(BeginOf(leader)); }

  MachineLinks& links_;
  const LinkedReduction& whole_;
  LinkedReduction block_;  // the part of it that is under way
  Transfers transfers_;
  int64_t begun_ = 0;  // elements
  size_t values_ = 0;  // of the transfers, the first ones
  size_t done_ = 0;    // transfers
};

Status MachineLinks::Send(Transfers& transfers, size_t leader, const std::byte* data, size_t bytes) {
  return transfers.Add(transport_.StartSend(lane_, leaders_[leader], data, bytes), leaders_[leader]);
}

Status MachineLinks::Receive(Transfers& transfers, size_t leader, std::byte* data, size_t bytes) {
  return transfers.Add(transport_.StartReceive(lane_, leaders_[leader], data, bytes), leaders_[leader]);
}

Result<std::unique_ptr<LinkedExchange>> MachineLinks::Start(const LinkedReduction& reduction) {
  if (leaders_.size() == 1 || reduction.count == 0)
    return std::unique_ptr<LinkedExchange>(std::make_unique<NoExchange>());
  const size_t bytes = static_cast<size_t>(reduction.count) * SizeOf(TravelType(reduction));
  const auto started = [](auto exchange) -> Result<std::unique_ptr<LinkedExchange>> {
    HEADRACE_TRY(exchange->Start());
    return std::unique_ptr<LinkedExchange>(std::move(exchange));
  };
  if (leaders_.size() == 2 || bytes * (leaders_.size() - 1) <= kExchangeAllBytes)
    return started(std::make_unique<PieceExchange>(*this, reduction));
  return started(std::make_unique<SliceExchange>(*this, reduction));
}

bool MachineLinks::LeavesAtOnce(size_t bytes, size_t machines) {
  return machines == 2 ? bytes <= kPiecesUnderWay * kEagerBytes : bytes * (machines - 1) <= kExchangeAllBytes;
}

Status MachineLinks::Check(const LinkedExchange& exchange, StallWatch& watch) const {
  HEADRACE_TRY(interrupted_());
  return watch.Check({{exchange.peer(), names_.hosts[static_cast<size_t>(exchange.peer())]}}, true);
}

Status MachineLinks::Allreduce(const LinkedReduction& reduction) {
  HEADRACE_ASSIGN(const auto exchange, Start(reduction));
  std::optional<StallWatch> watch;
  Patience patience;
  while (true) {
    HEADRACE_ASSIGN(const Advanced advanced, exchange->Advance());
    if (advanced == Advanced::kOver) return {};
    if (advanced == Advanced::kMoved) patience.Moved();
    if (!patience.Rest()) continue;
    if (!watch) watch.emplace(settings_, clock_, names_.self, reduction.what());
    HEADRACE_TRY(Check(*exchange, *watch));
  }
}

}  // namespace headrace::hvd
