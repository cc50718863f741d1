#include "horovod/shortcut.h"

#include <cstring>
#include <functional>
#include <numeric>

#include "horovod/reduce_kernels.h"

namespace headrace::hvd {
namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kMostRead = size_t{512} << 10;  // of all members together: everyone reads them all

int64_t ElementsOf(const Collective& collective) {
  return std::accumulate(collective.shape.begin(), collective.shape.end(), int64_t{1}, std::multiplies<>());
}

size_t ValueBytes(const Collective& collective) {
  return (static_cast<size_t>(ElementsOf(collective)) * SizeOf(collective.dtype) + kCacheLine - 1) / kCacheLine *
         kCacheLine;
}

}  // namespace

size_t Shortcut::BytesFor(const Collective& collective, const ShortcutPlaces& places) {
  const bool simple = collective.type == CollectiveType::kAllreduce && collective.op != ReduceOp::kAdasum &&
                      collective.process_set == 0 && collective.group.empty();
  if (!simple || ElementsOf(collective) == 0 || ValueBytes(collective) * places.members > kMostRead) return 0;
  const size_t values = sizeof(Flag) + 2 * ValueBytes(collective);
  if (places.machines == 1) return values;
  return MachineLinks::LeavesAtOnce(ValueBytes(collective), places.machines) ? 2 * values : 0;
}

Shortcut::Shortcut(const Collective& described, std::byte* rooms, size_t offset, Machine& machine, int ranks,
                   bool linked, std::optional<MachineLinks> links)
    : described_(described),
      rooms_(rooms),
      offset_(offset),
      bytes_(ValueBytes(described)),
      machine_(machine),
      ranks_(ranks),
      linked_(linked),
      links_(std::move(links)) {}

bool Shortcut::Serves(const Collective& c) const {
  const Collective& d = described_;
  return !is_taken_back() && c.type == d.type && c.dtype == d.dtype && c.shape == d.shape && c.op == d.op &&
         c.prescale == d.prescale && c.postscale == d.postscale && c.compression == d.compression &&
         c.process_set == d.process_set && c.group == d.group;
}

void Shortcut::Begin(const Collective& collective) {
  ++round_;
  under_way_ = collective;
  std::byte* own = values(machine_.index());
  const int64_t count = ElementsOf(collective);
  std::memcpy(own, collective.input, static_cast<size_t>(count) * SizeOf(collective.dtype));
  Scale(own, count, collective.dtype, collective.prescale);
  arrived(machine_.index()).Raise(round_);
  machine_.Ring(Bell::kPlan);
}

// What was to come from other machines comes no more.
void Shortcut::Forget() {
  const std::lock_guard lock(exchanging_);
  exchange_.reset();
  under_way_.reset();
}

bool Shortcut::AllArrived() const {
  for (int member = 0; member < machine_.size(); ++member)
    if (!arrived(member).Reached(round_)) return false;
  return true;
}

bool Shortcut::IsComplete() const { return linked_ ? exchanged().Reached(round_) : AllArrived(); }

Result<bool> Shortcut::Advance() {
  const std::unique_lock lock(exchanging_, std::try_to_lock);
  if (!lock.owns_lock() || !links_ || IsComplete() || is_abandoned()) return false;
  bool moved = false;
  if (exchange_ == nullptr) {
    if (!AllArrived()) return false;
    AddUp(sums(), 1);
    const ReduceOp op = described_.op == ReduceOp::kAverage ? ReduceOp::kSum : described_.op;
    reduction_ = {sums(), ElementsOf(described_), described_.dtype, op, FinalScale(), described_.compression, {}};
    HEADRACE_ASSIGN(exchange_, links_->Start(reduction_));
    moved = true;
  }
  HEADRACE_ASSIGN(const Advanced advanced, exchange_->Advance());
  if (advanced != Advanced::kOver) return moved || advanced == Advanced::kMoved;
  exchange_.reset();
  exchanged().Raise(round_);
  machine_.Ring(Bell::kPlan);
  return true;
}

std::vector<int> Shortcut::Missing() const {
  std::vector<int> missing;
  for (int member = 0; member < machine_.size(); ++member)
    if (!arrived(member).Reached(round_)) missing.push_back(member);
  return missing;
}

std::optional<int> Shortcut::peer() const {
  const std::lock_guard lock(exchanging_);
  return exchange_ == nullptr ? std::nullopt : std::optional(exchange_->peer());
}

void Shortcut::Finish() const {
  if (linked_)
    std::memcpy(under_way_->output, sums(), static_cast<size_t>(ElementsOf(described_)) * SizeOf(described_.dtype));
  else
    AddUp(under_way_->output, FinalScale());
}

double Shortcut::FinalScale() const {
  return described_.op == ReduceOp::kAverage ? described_.postscale / ranks_ : described_.postscale;
}

// The neighbours' values.
void Shortcut::AddUp(void* out, double scale) const {
  std::vector<const void*> in;
  for (int member = 0; member < machine_.size(); ++member) in.push_back(values(member));
  void* outputs[] = {out};
  ReduceKernels().reduce({described_.dtype, described_.op == ReduceOp::kAverage ? ReduceOp::kSum : described_.op, scale,
                          ElementsOf(described_), in.data(), static_cast<int>(in.size()), outputs, 1});
}

}  // namespace headrace::hvd
