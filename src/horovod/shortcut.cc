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

size_t Shortcut::BytesFor(const Collective& collective, size_t members) {
  const bool simple = collective.type == CollectiveType::kAllreduce && collective.op != ReduceOp::kAdasum &&
                      collective.process_set == 0 && collective.group.empty();
  if (!simple || ElementsOf(collective) == 0 || ValueBytes(collective) * members > kMostRead) return 0;
  return sizeof(Flag) + 2 * ValueBytes(collective);
}

Shortcut::Shortcut(const Collective& described, std::byte* rooms, size_t offset, Machine& machine)
    : described_(described), rooms_(rooms), offset_(offset), bytes_(ValueBytes(described)), machine_(machine) {}

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

bool Shortcut::IsComplete() const {
  for (int member = 0; member < machine_.size(); ++member)
    if (!arrived(member).Reached(round_)) return false;
  return true;
}

std::vector<int> Shortcut::Missing() const {
  std::vector<int> missing;
  for (int member = 0; member < machine_.size(); ++member)
    if (!arrived(member).Reached(round_)) missing.push_back(member);
  return missing;
}

void Shortcut::Finish() const {
  std::vector<const void*> in;
  for (int member = 0; member < machine_.size(); ++member) in.push_back(values(member));
  const bool average = described_.op == ReduceOp::kAverage;
  void* out[] = {under_way_->output};
  ReduceKernels().reduce({described_.dtype, average ? ReduceOp::kSum : described_.op,
                          average ? described_.postscale / machine_.size() : described_.postscale,
                          ElementsOf(described_), in.data(), static_cast<int>(in.size()), out, 1});
}

}  // namespace headrace::hvd
