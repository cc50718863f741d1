#include "horovod/plan.h"

#include <algorithm>
#include <cstring>

#include "horovod/patience.h"
#include "horovod/reduce_kernels.h"
#include "tensor/parallel.h"

namespace headrace::hvd {
namespace {

constexpr size_t kLine = 64;
// Below so many bytes of all neighbours together, it is faster that everyone reads everything than that they wait for
// each other twice.
constexpr size_t kSmallBytes = size_t{16} << 10;
// From here on a slice is worth the start of several threads.
constexpr int64_t kParallelBytes = int64_t{512} << 10;

size_t RoundUp(size_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

bool IsSmallBucket(const GroupPlan::Shape& shape, const Bucket& bucket, size_t members) {
  const size_t bytes = static_cast<size_t>(bucket.count) * SizeOf(shape.options.dtype);
  return shape.machines == 1 && members > 1 && bytes * members <= kSmallBytes;
}

bool NeedsHome(const GroupPlan::Shape& shape, size_t members) { return members > 1 && shape.machines > 1; }

ReduceOp PlainOp(ReduceOp op) { return op == ReduceOp::kAverage ? ReduceOp::kSum : op; }

}  // namespace

size_t GroupPlan::BytesFor(const Shape& shape, int members, size_t memory_bytes) {
  const auto count = static_cast<size_t>(members);
  size_t bytes = (2 * count + 1) * shape.buckets.size() * sizeof(Flag);
  for (const Bucket& bucket : shape.buckets)
    if (IsSmallBucket(shape, bucket, count))
      bytes += 2 * count * RoundUp(static_cast<size_t>(bucket.count) * SizeOf(shape.options.dtype));
  return bytes + (NeedsHome(shape, count) ? RoundUp(memory_bytes) : 0) + kLine;
}

GroupPlan::GroupPlan(Shape shape, Machine& machine, MachineMemory& memory, Segment segment, Workload& workload,
                     Carrier* carrier, std::function<Status()> interrupted, std::function<void(const Error&)> fail)
    : shape_(std::move(shape)),
      machine_(machine),
      memory_(memory),
      segment_(std::move(segment)),
      workload_(workload),
      carrier_(carrier),
      interrupted_(std::move(interrupted)),
      fail_(std::move(fail)),
      members_(static_cast<size_t>(machine.size())),
      flags_(reinterpret_cast<Flag*>(segment_.data())),
      slot_offsets_(shape_.buckets.size()),
      states_(shape_.buckets.size()) {
  slots_ = segment_.data() + (2 * members_ + 1) * shape_.buckets.size() * sizeof(Flag);
  size_t slots = 0;
  for (size_t i = 0; i < shape_.buckets.size(); ++i) {
    slot_offsets_[i] = slots;
    if (IsSmall(i))
      slots += 2 * members_ * RoundUp(static_cast<size_t>(shape_.buckets[i].count) * SizeOf(shape_.options.dtype));
  }
  if (NeedsHome(shape_, members_))
    home_ = slots_ + slots;
  else if (members_ == 1)
    home_ = memory_.data();
  for (size_t i = 0; carrier_ != nullptr && i < shape_.buckets.size(); ++i) cargoes_.push_back(CargoOf(i));
}

GroupPlan::~GroupPlan() {
  workload_.Drop(this);
  if (carrier_ != nullptr) carrier_->Drain();
}

bool GroupPlan::IsSmall(size_t bucket) const { return IsSmallBucket(shape_, shape_.buckets[bucket], members_); }

std::byte* GroupPlan::slot(size_t bucket, uint64_t step, int member) const {
  const size_t bytes = RoundUp(static_cast<size_t>(shape_.buckets[bucket].count) * SizeOf(shape_.options.dtype));
  return slots_ + slot_offsets_[bucket] + ((step % 2) * members_ + static_cast<size_t>(member)) * bytes;
}

bool GroupPlan::AllReady(size_t bucket) const {
  for (int member = 0; member < machine_.size(); ++member)
    if (!ready(bucket, member).Reached(states_[bucket].step)) return false;
  return true;
}

bool GroupPlan::IsComplete(size_t bucket) const {
  const BucketState& state = states_[bucket];
  if (IsSmall(bucket)) return AllReady(bucket);
  if (shape_.machines > 1) return carried(bucket).Reached(state.step);
  for (int member = 0; member < machine_.size(); ++member)
    if (!reduced(bucket, member).Reached(state.step)) return false;
  return true;
}

// Sums are linear: on one machine all factors are one. Minimum, maximum and product are scaled before, in Start.
double GroupPlan::LocalScale() const {
  const bool sum = PlainOp(shape_.options.op) == ReduceOp::kSum;
  return (sum ? shape_.options.prescale : 1) * (shape_.machines == 1 ? FinalScale() : 1);
}

double GroupPlan::FinalScale() const {
  return shape_.options.op == ReduceOp::kAverage ? shape_.options.postscale / shape_.ranks : shape_.options.postscale;
}

Status GroupPlan::Start(size_t bucket) {
  BucketState& state = states_[bucket];
  if (state.finished < state.step) HEADRACE_TRY(Wait(bucket));
  const Bucket& described = shape_.buckets[bucket];
  const DataType dtype = shape_.options.dtype;
  std::byte* own = memory_.data() + described.offset;
  if (PlainOp(shape_.options.op) != ReduceOp::kSum) Scale(own, described.count, dtype, shape_.options.prescale);
  ++state.step;
  if (IsSmall(bucket))
    std::memcpy(slot(bucket, state.step, machine_.index()), own, static_cast<size_t>(described.count) * SizeOf(dtype));
  else if (members_ == 1)
    AddUp(bucket);
  else
    workload_.Add({this, [this, bucket] { return AllReady(bucket); }, [this, bucket] { AddUp(bucket); }});
  ready(bucket, machine_.index()).Raise(state.step);
  machine_.Ring(Bell::kPlan);
  if (carrier_ != nullptr) carrier_->Add(cargoes_[bucket]);
  return ToldOf(Work());
}

// What takes a bucket to the other machines, once this machine's sum is complete.
Cargo GroupPlan::CargoOf(size_t bucket) {
  const Bucket& described = shape_.buckets[bucket];
  Cargo cargo;
  cargo.reduction = {home_ + described.offset,
                     described.count,
                     shape_.options.dtype,
                     PlainOp(shape_.options.op),
                     FinalScale(),
                     shape_.options.compression,
                     [this, bucket] { return NameOf(bucket, states_[bucket].step); }};
  cargo.is_ready = [this, bucket] {
    for (int member = 0; member < machine_.size(); ++member)
      if (!reduced(bucket, member).Reached(states_[bucket].step)) return false;
    return true;
  };
  cargo.missing = [this, bucket](std::optional<StallWatch>& watch) { return CheckMissing(bucket, watch); };
  cargo.done = [this, bucket] {
    carried(bucket).Raise(states_[bucket].step);
    machine_.Ring(Bell::kPlan);
  };
  return cargo;
}

std::string GroupPlan::NameOf(size_t bucket, uint64_t step) const {
  return fmt::format("step {} of plan \"{}\", bucket \"{}\"", step, shape_.options.name, shape_.buckets[bucket].name);
}

void GroupPlan::ReduceSmall(size_t bucket) {
  const Bucket& described = shape_.buckets[bucket];
  const void* in[64];
  std::vector<const void*> many;
  const void** inputs = in;
  if (members_ > std::size(in)) {
    many.resize(members_);
    inputs = many.data();
  }
  for (int member = 0; member < machine_.size(); ++member) inputs[member] = slot(bucket, states_[bucket].step, member);
  void* out[] = {memory_.data() + described.offset};
  ReduceKernels().reduce({shape_.options.dtype, PlainOp(shape_.options.op), LocalScale(), described.count, inputs,
                          static_cast<int>(members_), out, 1});
}

// This rank's slice of a bucket, from everybody's memory. Slices are whole cache lines.
void GroupPlan::ReduceSlice(size_t bucket) {
  const Bucket& described = shape_.buckets[bucket];
  const size_t size = SizeOf(shape_.options.dtype);
  const auto line = static_cast<int64_t>(kLine / size), members = static_cast<int64_t>(members_);
  const int64_t lines = (described.count + line - 1) / line, index = machine_.index();
  const int64_t begin = std::min(described.count, lines * index / members * line);
  const int64_t end = std::min(described.count, lines * (index + 1) / members * line);
  if (begin >= end || (members_ == 1 && LocalScale() == 1)) return;
  const auto reduce = [&](int64_t from, int64_t to) {
    const size_t offset = described.offset + static_cast<size_t>(from) * size;
    std::vector<const void*> in;
    std::vector<void*> out;
    for (int member = 0; member < machine_.size(); ++member) {
      in.push_back(memory_.of(member) + offset);
      if (home_ == nullptr) out.push_back(memory_.of(member) + offset);
    }
    if (home_ != nullptr) out.push_back(home_ + offset);
    ReduceKernels().reduce({shape_.options.dtype, PlainOp(shape_.options.op), LocalScale(), to - from, in.data(),
                            static_cast<int>(in.size()), out.data(), static_cast<int>(out.size())});
  };
  if ((end - begin) * static_cast<int64_t>(size) < kParallelBytes) return reduce(begin, end);
  tensor::ParallelRanges((end - begin + line - 1) / line, [&](int64_t from, int64_t to, int) {
    reduce(begin + from * line, std::min(end, begin + to * line));
  });
}

void GroupPlan::AddUp(size_t bucket) {
  ReduceSlice(bucket);
  reduced(bucket, machine_.index()).Raise(states_[bucket].step);
  machine_.Ring(Bell::kPlan);
}

// What is left to do for a bucket that is complete.
void GroupPlan::Finish(size_t bucket) {
  BucketState& state = states_[bucket];
  if (state.finished == state.step) return;
  const Bucket& described = shape_.buckets[bucket];
  if (IsSmall(bucket))
    ReduceSmall(bucket);
  else if (home_ != nullptr && home_ != memory_.data())
    std::memcpy(memory_.data() + described.offset, home_ + described.offset,
                static_cast<size_t>(described.count) * SizeOf(shape_.options.dtype));
  state.finished = state.step;
}

Result<bool> GroupPlan::Done(size_t bucket) {
  HEADRACE_TRY(ToldOf(Work()));
  if (!IsComplete(bucket)) {
    HEADRACE_TRY(ToldOf(interrupted_()));
    return false;
  }
  Finish(bucket);
  return true;
}

Status GroupPlan::Wait(size_t bucket) {
  HEADRACE_TRY(ToldOf(Work()));
  if (!IsComplete(bucket)) HEADRACE_TRY(ToldOf(Await(bucket)));
  Finish(bucket);
  return {};
}

// What can be done at once, of all plans.
Status GroupPlan::Work() {
  workload_.DoReady();
  if (carrier_ != nullptr) HEADRACE_TRY(carrier_->Advance());
  return {};
}

// An error ends the group.
Status GroupPlan::ToldOf(Status status) const {
  if (!status) fail_(status.error());
  return status;
}

Status GroupPlan::Await(size_t bucket) {
  if (carrier_ != nullptr) return AwaitMachines(bucket);
  std::optional<StallWatch> watch;
  while (!IsComplete(bucket)) {
    HEADRACE_TRY(machine_.Await(
        Bell::kPlan, [&] { return IsComplete(bucket) || workload_.HasReady(); },
        [&] { return CheckMissing(bucket, watch); }));
    workload_.DoReady();
  }
  return {};
}

Status GroupPlan::AwaitMachines(size_t bucket) {
  std::optional<StallWatch> watch;
  Patience patience;
  while (!IsComplete(bucket)) {
    workload_.DoReady();
    HEADRACE_ASSIGN(const bool moved, carrier_->Advance());
    if (moved) patience.Moved();
    if (!moved && patience.Rest()) HEADRACE_TRY(CheckMissing(bucket, watch));
  }
  return {};
}

// Who holds up the wait for `bucket`: those who have not started the bucket that is next, or not added up their slice.
Status GroupPlan::CheckMissing(size_t bucket, std::optional<StallWatch>& watch) const {
  HEADRACE_TRY(interrupted_());
  const uint64_t step = states_[bucket].step;
  if (!watch) watch.emplace(machine_.Watch(NameOf(bucket, step)));
  std::vector<int> missing;
  for (int member = 0; member < machine_.size(); ++member)
    if (!ready(bucket, member).Reached(step)) missing.push_back(member);
  for (int member = 0; member < machine_.size() && missing.empty(); ++member)
    if (!IsSmall(bucket) && !reduced(bucket, member).Reached(step)) missing.push_back(member);
  auto absent = machine_.Describe(missing);
  for (size_t i = 0; i < missing.size(); ++i) {
    const uint64_t started = ready(bucket, missing[i]).value.load();
    absent[i].doing +=
        fmt::format("{}{}", absent[i].doing.empty() ? "" : "; ",
                    started == step ? "has started this step" : fmt::format("has started step {}", started));
  }
  if (missing.empty()) {  // the leader exchanges with the other machines, and knows whom it waits for
    if (machine_.index() == 0) return {};
    absent = machine_.Describe({0});
    absent[0].doing += absent[0].doing.empty() ? "exchanging with other machines" : "; exchanging with other machines";
  }
  return watch->Check(absent, std::find(missing.begin(), missing.end(), 0) != missing.end() ? machine_.index() == 1
                                                                                            : machine_.index() == 0);
}

}  // namespace headrace::hvd
