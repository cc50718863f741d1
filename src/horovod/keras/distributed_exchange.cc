#include "horovod/keras/distributed_exchange.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "horovod/hash.h"
#include "keras/packed.h"

namespace headrace::hvd {

using keras::VariablePtr;
using keras::internal::FitPlan;
using keras::internal::OptimizerState;

namespace {

constexpr int64_t kFlagElements = 16;  // 64 bytes, so that the gradients stay aligned

std::string YesOrNo(bool value) { return value ? "true" : "false"; }

const char* NameOf(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return "none";
    case Compression::kFloat16:
      return "fp16";
    case Compression::kBFloat16:
      return "bf16";
  }
  return "?";
}

}  // namespace

struct DistributedExchange::Gathering {
  std::unique_ptr<SharedMemory> memory;
  std::unique_ptr<Plan> plan;
};

DistributedExchange::DistributedExchange(FindCommunicator communicator, ExchangeOptions options,
                                         std::weak_ptr<const OptimizerState> optimizer)
    : communicator_(std::move(communicator)),
      place_(communicator_().place()),
      options_(std::move(options)),
      optimizer_(std::move(optimizer)),
      trace_(options_.timeline) {}

DistributedExchange::~DistributedExchange() = default;

std::vector<Fact> DistributedExchange::Entries(const std::vector<VariablePtr>& trainable) const {
  const DistributedOptimizerOptions& o = options_.optimizer;
  std::vector<Fact> entries = {
      {"DistributedOptimizer's op", hvd::NameOf(o.op)},
      {"DistributedOptimizer's compression", NameOf(o.compression)},
      {"DistributedOptimizer's backward_passes_per_step", std::to_string(o.backward_passes_per_step)},
      {"DistributedOptimizer's average_aggregated_gradients", YesOrNo(o.average_aggregated_gradients)},
      {"DistributedOptimizer's gradient_predivide_factor", fmt::format("{}", o.gradient_predivide_factor)},
      {"the size of buckets (HOROVOD_FUSION_THRESHOLD)", fmt::format("{} bytes", options_.bucket_bytes)}};
  if (const auto optimizer = optimizer_.lock())
    entries.push_back({"the optimizer", keras::internal::NameOf(optimizer->kind)});
  for (size_t i = 0; i < trainable.size(); ++i)
    entries.push_back(
        {fmt::format("gradient {}, {}", i, trainable[i]->name),
         fmt::format("{} {}", headrace::NameOf(trainable[i]->value.dtype()), trainable[i]->value.shape().ToString())});
  entries.push_back({"the number of gradients", std::to_string(trainable.size())});
  return entries;
}

PlanOptions DistributedExchange::Options() const {
  const DistributedOptimizerOptions& o = options_.optimizer;
  PlanOptions plan{.name = "gradients", .op = o.op, .compression = o.compression};
  if (o.average_aggregated_gradients) plan.prescale /= o.backward_passes_per_step;
  if (o.gradient_predivide_factor != 1) {  // sum of g / f, times f / size
    plan.op = ReduceOp::kSum;
    plan.prescale /= o.gradient_predivide_factor;
    plan.postscale = static_cast<double>(o.gradient_predivide_factor) / size();
  }
  return plan;
}

Tensor DistributedExchange::Connect(const std::vector<VariablePtr>& trainable) {
  trainable_ = trainable;
  ValueOrThrow(CompareAcrossRanks(communicator_(), "keras.compile", Entries(trainable),
                                  "; every rank builds the same model and compiles it the same way"));
  std::vector<Shape> shapes;
  for (const VariablePtr& variable : trainable) shapes.push_back(variable->value.shape());
  keras::internal::PackedLayout layout = keras::internal::LayOut(shapes);
  offsets_ = std::move(layout.offsets);

  memory_ = ValueOrThrow(communicator_().Allocate(static_cast<size_t>(kFlagElements + layout.count) * sizeof(float)));
  trained_ = reinterpret_cast<float*>(memory_->data());
  gradients_ = trained_ + kFlagElements;
  if (options_.optimizer.backward_passes_per_step > 1) kept_.resize(static_cast<size_t>(layout.count));

  std::vector<GradientBucket> cut = CutIntoBuckets(offsets_, layout.count, options_.bucket_bytes);
  if (cut.empty()) cut.emplace_back();  // nothing is trained: the flag travels all the same
  std::vector<Bucket> buckets;          // as the plan wants them: ascending
  for (auto at = cut.rbegin(); at != cut.rend(); ++at) {
    const GradientBucket& bucket = *at;
    const int64_t begin = bucket.begin == 0 ? 0 : kFlagElements + bucket.begin;  // the last one takes the flag along
    std::string name = bucket.variables.empty() ? "nothing" : trainable[bucket.variables.back()]->name;
    if (bucket.variables.size() > 1) name += fmt::format(" .. {}", trainable[bucket.variables.front()]->name);
    buckets.push_back(
        {std::move(name), static_cast<size_t>(begin) * sizeof(float), kFlagElements + bucket.end - begin});
  }
  buckets_ = buckets.size();
  trace_.SetBuckets(buckets);
  progress_ = std::make_unique<BucketProgress>(cut, trainable.size());
  plan_ = ValueOrThrow(communicator_().MakePlan(*memory_, std::move(buckets), Options()));
  return Tensor::View(DType::kFloat32, {layout.count}, gradients_, nullptr);
}

void DistributedExchange::BeginTraining(const FitPlan& plan) {
  communicator_().Tell("began fit()");
  std::vector<Fact> entries = {{"fit()'s initial_epoch", std::to_string(plan.initial_epoch)},
                               {"fit()'s initial_step", std::to_string(plan.initial_step)},
                               {"fit()'s epochs", std::to_string(plan.epochs)},
                               {"fit()'s steps_per_epoch", std::to_string(plan.steps_per_epoch)}};
  ValueOrThrow(CompareAcrossRanks(communicator_(), "keras.fit", entries,
                                  "; ranks that take different numbers of steps would wait for each other"));
  entries.clear();
  if (const auto optimizer = optimizer_.lock()) {
    entries.push_back({"the optimizer's iterations", std::to_string(optimizer->iterations)});
    entries.push_back({"the learning rate", fmt::format("{}", RateOfStep(*optimizer))});
  }
  for (const VariablePtr& variable : trainable_)
    entries.push_back({fmt::format("the values of {} (as a hash)", variable->name),
                       fmt::format("{:016x}", Hash(variable->value.raw(), variable->value.bytes()))});
  ValueOrThrow(CompareAcrossRanks(communicator_(), "keras.fit.values", entries,
                                  "; hvd::callbacks::BroadcastGlobalVariablesCallback(0) among fit()'s callbacks "
                                  "gives all ranks those of rank 0"));
}

std::string DistributedExchange::OfFirstRank(const std::string& mine) {
  if (!of_first_rank_) {
    auto texts = ValueOrThrow(GatherTexts(communicator_(), "keras.of_first_rank", rank() == 0 ? mine : ""));
    of_first_rank_ = std::move(texts.front());
  }
  return *of_first_rank_;
}

// ---- one step

void DistributedExchange::Keep(size_t variable) {
  const int64_t count = trainable_[variable]->value.size();
  float* kept = kept_.data() + offsets_[variable];
  float* gradient = gradients_ + offsets_[variable];
  if (!Exchanges()) {
    for (int64_t i = 0; i < count; ++i) kept[i] += gradient[i];
    return;
  }
  for (int64_t i = 0; i < count; ++i) gradient[i] += std::exchange(kept[i], 0.0f);
}

void DistributedExchange::GradientReady(size_t variable) {
  if (!kept_.empty()) Keep(variable);
  if (!Exchanges()) return;
  trace_.GradientReady(trainable_[variable]->name);
  progress_->Ready(variable);
  StartReadyBuckets();
  FollowBuckets();
}

void DistributedExchange::StartBucket(size_t bucket) {
  trace_.BucketLeaves(PlansNumber(bucket));
  ValueOrThrow(plan_->Start(PlansNumber(bucket)));
}

void DistributedExchange::FollowBuckets() {
  for (; arrived_ < progress_->next() && ValueOrThrow(plan_->Done(PlansNumber(arrived_))); ++arrived_)
    trace_.BucketArrives(PlansNumber(arrived_));
}

// All but the last bucket, which waits for FinishStep(): it takes along whether this rank trained.
void DistributedExchange::StartReadyBuckets() {
  for (; progress_->NextIsReady() && progress_->next() + 1 < buckets_; progress_->Leave())
    StartBucket(progress_->next());
}

void DistributedExchange::Tell(const char* done) { communicator_().Tell(fmt::format("{} step {}", done, steps_ + 1)); }

void DistributedExchange::AwaitBuckets() {
  for (; arrived_ < progress_->next(); ++arrived_) {
    ValueOrThrow(plan_->Wait(PlansNumber(arrived_)));
    trace_.BucketArrives(PlansNumber(arrived_));
  }
}

DistributedExchange::Outcome DistributedExchange::FinishStep(bool trained) {
  trained_since_exchange_ |= trained;
  if (!Exchanges()) {
    ++pass_;
    return {};
  }
  *trained_ = trained_since_exchange_ ? 1.0f : 0.0f;
  for (; progress_->next() < buckets_; progress_->Leave()) StartBucket(progress_->next());
  trace_.BackwardEnds();
  Tell("finished the backward pass of");
  AwaitBuckets();
  trace_.StepEnds();
  Tell("finished");
  ++steps_;
  progress_->Reset();
  arrived_ = 0;
  pass_ = 0;
  trained_since_exchange_ = false;
  return {.somebody_trained = *trained_ > 0, .gradients = gradients_};
}

void DistributedExchange::Gather(const float* mine, int64_t count, float* all) {
  if (size() == 1) {
    std::copy_n(mine, count, all);
    return;
  }
  std::unique_ptr<Gathering>& gathering = gatherings_[count];
  const int64_t total = count * size();
  if (!gathering) {
    gathering = std::make_unique<Gathering>();
    gathering->memory = ValueOrThrow(communicator_().Allocate(static_cast<size_t>(total) * sizeof(float)));
    gathering->plan = ValueOrThrow(
        communicator_().MakePlan(*gathering->memory, {{"statistics", 0, total}},
                                 {.name = fmt::format("statistics of {} numbers", count), .op = ReduceOp::kSum}));
  }
  // A sum of one rank's numbers and the others' zeros: exact.
  auto* rows = reinterpret_cast<float*>(gathering->memory->data());
  std::fill_n(rows, total, 0.0f);
  std::copy_n(mine, count, rows + rank() * count);
  ValueOrThrow(gathering->plan->Start(0));
  ValueOrThrow(gathering->plan->Wait(0));
  std::copy_n(rows, total, all);
}

// ---- one run

bool DistributedExchange::AnyStops(bool stop) {
  if (size() == 1) return stop;
  const auto optimizer = optimizer_.lock();
  const double mine[2] = {stop ? 1.0 : 0.0, optimizer ? RateOfStep(*optimizer) : 0.0};
  Collective gather{.type = CollectiveType::kAllgather, .name = "keras.epoch", .dtype = DataType::kFloat64};
  gather.shape = {2};
  gather.input = mine;
  const hvd::Outcome outcome = ValueOrThrow(Run(communicator_(), std::move(gather)));
  std::vector<double> of_ranks(static_cast<size_t>(2 * size()));
  std::memcpy(of_ranks.data(), outcome.output.data(), of_ranks.size() * sizeof(double));
  for (int rank = 0; rank < size(); ++rank) {
    stop |= of_ranks[2 * rank] != 0;
    if (of_ranks[2 * rank + 1] != of_ranks[1])
      throw MakeError(ErrorCode::kFailedPrecondition,
                      "fit: the learning rate is {} on {} and {} on {}: put "
                      "hvd::callbacks::MetricAverageCallback() before the callbacks that change it, so that all ranks "
                      "decide alike",
                      of_ranks[2 * rank + 1], communicator_().NameOf(rank), of_ranks[1], communicator_().NameOf(0));
  }
  return stop;
}

void DistributedExchange::Abort(const std::string& text) noexcept {
  if (size() == 1) return;
  try {
    communicator_().Abort(text);
  } catch (...) {  // the others notice that this rank is gone
  }
}

}  // namespace headrace::hvd
