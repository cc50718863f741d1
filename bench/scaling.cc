// Trains the example's CNN as the ranks that mpirun starts, or alone, and prints one JSON line on rank 0: images a
// second of all ranks (median step), and what the exchange of gradients costs in it.
//
// usage: bench_scaling --data DIR --policy float32|mixed_bfloat16 --batch N --steps N
// DIR holds train/train.tfrecords. Every rank has --batch images a step. Threads: OMP_NUM_THREADS.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/ranges.h>

#include "headrace/data.h"
#include "headrace/horovod.h"
#include "headrace/keras.h"

#include "base/result.h"
#include "cnn.h"
#include "horovod/keras/distributed_exchange.h"
#include "horovod/world.h"
#include "keras/engine.h"
#include "keras/model_state.h"
#include "keras/optimizer_state.h"

namespace {

using namespace headrace;
using namespace headrace::keras;
using Clock = std::chrono::steady_clock;

double Since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// A DistributedExchange with a stop watch. Times of one step, seconds.
class Timed : public internal::GradientExchange {
 public:
  struct Step {
    double leaving = 0;    // within GradientReady(): starting buckets, and the work on those that are under way
    double finishing = 0;  // within FinishStep(): the rest of the work, and waiting for the other ranks
    double window = 0;     // from the first final gradient to the end of backward
    double computing = 0;  // from the end of the step before to here: all that the other ranks have no part in
  };

  explicit Timed(std::shared_ptr<internal::GradientExchange> exchange) : exchange_(std::move(exchange)) {}
  int rank() const override { return exchange_->rank(); }
  int size() const override { return exchange_->size(); }
  Tensor Connect(const std::vector<VariablePtr>& trainable) override {
    variables = trainable.size();
    return exchange_->Connect(trainable);
  }
  void BeginTraining(const internal::FitPlan& plan) override { exchange_->BeginTraining(plan); }
  std::string OfFirstRank(const std::string& mine) override { return exchange_->OfFirstRank(mine); }
  void GradientReady(size_t variable) override {
    const auto start = Clock::now();
    if (!in_step_) first_ = start;
    in_step_ = true;
    exchange_->GradientReady(variable);
    step_.leaving += Since(start);
  }
  Outcome FinishStep(bool trained) override {
    const auto start = Clock::now();
    step_.window = in_step_ ? std::chrono::duration<double>(start - first_).count() : 0;
    in_step_ = false;
    step_.computing = std::chrono::duration<double>(start - finished_).count() - step_.leaving;
    const Outcome outcome = exchange_->FinishStep(trained);
    step_.finishing = Since(start);
    finished_ = Clock::now();
    steps.push_back(std::exchange(step_, {}));
    return outcome;
  }
  void Gather(const float* mine, int64_t count, float* all) override { exchange_->Gather(mine, count, all); }
  bool AnyStops(bool stop) override { return exchange_->AnyStops(stop); }
  void Abort(const std::string& text) noexcept override { exchange_->Abort(text); }

  std::vector<Step> steps;
  size_t variables = 0;

 private:
  const std::shared_ptr<internal::GradientExchange> exchange_;
  Step step_;
  Clock::time_point first_, finished_ = Clock::now();
  bool in_step_ = false;
};

// The exchange alone, all ranks beginning together: what it costs when nobody is late.
double AloneSeconds(Timed& exchange) {
  std::vector<double> times;
  for (int round = 0; round < 200; ++round) {
    hvd::barrier();
    const auto start = Clock::now();
    for (size_t variable = exchange.variables; variable-- > 0;) exchange.GradientReady(variable);
    exchange.FinishStep(true);
    times.push_back(Since(start));
  }
  return Median(std::move(times));
}

template <typename Get>
double MedianOf(const std::vector<Timed::Step>& steps, const Get& get) {
  std::vector<double> values;
  for (const Timed::Step& step : steps) values.push_back(get(step));
  return values.empty() ? 0 : Median(std::move(values));
}

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// How long the ranks computed, step by step: {"compute_ms": each rank's median, "mean_ms": each rank's mean,
// "slowest_ms": the mean of the slowest rank's}. Ranks that differ in their means are on unlike cores, or do unlike
// work; what the slowest one's mean has more than any rank's is how the steps of one rank differ from each other.
std::string ComputeOfRanks(const std::vector<Timed::Step>& steps) {
  const auto count = static_cast<int64_t>(steps.size());
  std::vector<double> own;
  for (const Timed::Step& step : steps) own.push_back(1e3 * step.computing);
  const hvd::Array gathered = hvd::allgather(hvd::Array::Of(own));
  std::vector<std::string> medians, means;
  std::vector<double> slowest(own.size());
  for (int rank = 0; rank < hvd::size(); ++rank) {
    const double* of_rank = gathered.data<double>() + rank * count;
    const std::vector<double> values(of_rank, of_rank + count);
    medians.push_back(fmt::format("{:.3f}", Median(values)));
    means.push_back(fmt::format("{:.3f}", Mean(values)));
    for (size_t step = 0; step < values.size(); ++step) slowest[step] = std::max(slowest[step], values[step]);
  }
  return fmt::format("\"compute_ms\": [{}], \"mean_ms\": [{}], \"slowest_ms\": {:.3f}", fmt::join(medians, ", "),
                     fmt::join(means, ", "), Mean(slowest));
}

}  // namespace

int main(int argc, char** argv) try {
  std::string data_directory, policy = "float32";
  int64_t batch = 256, steps = 20, warmup = 5;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const auto value = [&] { return std::string(i + 1 < argc ? argv[++i] : ""); };
    if (option == "--data")
      data_directory = value();
    else if (option == "--policy")
      policy = value();
    else if (option == "--batch")
      batch = std::stol(value());
    else if (option == "--steps")
      steps = std::stol(value());
    else
      return std::fprintf(stderr, "bench_scaling: unknown option %s\n", option.c_str()), 2;
  }
  hvd::init();
  const auto seed = static_cast<uint64_t>(hvd::rank() + 1);
  Sequential model = bench::Cnn();
  Optimizer optimizer = hvd::DistributedOptimizer(Adam({.learning_rate = 1e-3f}));
  std::shared_ptr<Timed> timed;
  if (hvd::size() > 1)
    optimizer.state()->distribute = [&timed, make = optimizer.state()->distribute] {
      return timed = std::make_shared<Timed>(make());
    };
  else
    optimizer.state()->distribute = nullptr;  // the model trains alone, as without Horovod
  model.compile(optimizer, "categorical_crossentropy", {"accuracy"}, {.policy = policy});
  const auto dataset = data::Dataset::TFRecord({data_directory + "/train/train.tfrecords"})
                           .shard(hvd::size(), hvd::rank())
                           .repeat()
                           .prefetch(10)
                           .map(data::cifar10::ParseAndAugment, {.num_parallel_calls = 10, .seed = seed})
                           .shuffle(2000, {.seed = seed})
                           .batch(batch, {.drop_remainder = true})
                           .prefetch(2);
  auto batches = dataset.MakeIterator();
  internal::Engine engine(model.state(), tensor::MakeOneDnnBackend());
  std::vector<double> times;
  for (int64_t step = 0; step < warmup + steps; ++step) {
    if (step == warmup && timed) timed->steps.clear();
    const auto begin = Clock::now();
    const auto element = batches.Next();
    engine.TrainBatch(element->x(), element->y());
    if (step >= warmup) times.push_back(Since(begin));
  }
  const double median = Median(times);
  std::vector<Timed::Step> in_training;
  double alone = 0;
  std::string compute = fmt::format("\"compute_ms\": [{0:.3f}], \"mean_ms\": [{1:.3f}], \"slowest_ms\": {1:.3f}",
                                    1e3 * median, 1e3 * Mean(times));
  if (timed) {
    in_training = std::exchange(timed->steps, {});
    compute = ComputeOfRanks(in_training);
    alone = AloneSeconds(*timed);
  }
  if (hvd::rank() == 0)
    std::printf(
        "{\"ranks\": %d, \"images_per_second\": %.1f, \"step_ms\": %.3f, "
        "\"leaving_ms\": %.4f, \"finishing_ms\": %.4f, \"window_ms\": %.3f, \"exchange_alone_ms\": %.4f, %s}\n",
        hvd::size(), static_cast<double>(batch * hvd::size()) / median, 1e3 * median,
        1e3 * MedianOf(in_training, [](const auto& s) { return s.leaving; }),
        1e3 * MedianOf(in_training, [](const auto& s) { return s.finishing; }),
        1e3 * MedianOf(in_training, [](const auto& s) { return s.window; }), 1e3 * alone, compute.c_str());
  hvd::barrier();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_scaling: %s\n", error.what());
  return 1;
}
