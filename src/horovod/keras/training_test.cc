// Models that train on several ranks, which are threads here: the weights of one process on the combined batches.
#include <cmath>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <omp.h>

#include "headrace/data.h"
#include "headrace/keras.h"

#include "base/result.h"
#include "horovod/keras/callbacks.h"
#include "horovod/keras/distributed_optimizer.h"
#include "horovod/thread_world.h"
#include "keras/model_state.h"
#include "keras/optimizer_state.h"
#include "tensor/kernel_testing.h"

namespace headrace::hvd {
namespace {

using keras::Adafactor;
using keras::Adam;
using keras::AdamW;
using keras::CosineDecay;
using keras::Lamb;
using keras::Model;
using keras::Optimizer;
using keras::SGD;
using tensor::testing::RandomTensor;
using testing::AllOf;
using testing::HasSubstr;

constexpr int64_t kClasses = 3;

Tensor Images(int64_t rows, uint32_t seed) { return RandomTensor(DType::kFloat32, {rows, 8, 7, 3}, seed); }
Tensor Labels(int64_t rows, int64_t seed) {
  Tensor y = Tensor::Zeros(DType::kFloat32, {rows, kClasses});
  for (int64_t row = 0; row < rows; ++row) y.data<float>()[row * kClasses + (row * row + seed) % kClasses] = 1;
  return y;
}

struct ModelKind {
  bool batch_normalization = false;
  int64_t seed = 3;
  int64_t filters = 5;
};

Model MakeModel(const ModelKind& kind = {}) {
  using namespace keras;  // NOLINT(google-build-using-namespace)
  const KerasTensor image = Input({8, 7, 3});
  // A bias in front of BatchNormalization has a gradient of zero but for its rounding.
  const bool bias = !kind.batch_normalization;
  const Conv2D conv(kind.filters, {3, 3}, {.padding = "same", .use_bias = bias, .name = "conv"});  // called twice
  const auto block = [&](const KerasTensor& value) {
    return Activation("relu")(kind.batch_normalization ? hvd::SyncBatchNormalization()(value) : value);
  };
  KerasTensor value = block(Conv2D(kind.filters, {3, 3}, {.use_bias = bias})(image));
  value = block(conv(block(conv(value))));
  value = Activation("relu")(Dense(6)(Flatten()(MaxPooling2D()(value))));
  return Model(image, Dense(kClasses, {.activation = "softmax"})(value), {.seed = kind.seed});
}

FindCommunicator Of(Communicator& communicator) {
  return [&communicator]() -> Communicator& { return communicator; };
}

void Compile(Model& model, keras::Optimizer optimizer) {
  model.compile(std::move(optimizer), "categorical_crossentropy", {"accuracy"}, {.conv_algorithms = "direct"});
}

std::vector<Tensor> WeightsOf(const Model& model) {
  std::vector<Tensor> weights;
  for (const auto& weight : model.weights()) weights.push_back(weight->value.Clone());
  return weights;
}

// A rank's own results, brought back to the test's thread.
template <typename T>
std::vector<T> OnRanks(int ranks, const std::function<T(Communicator&)>& body, const ThreadWorldOptions& world = {}) {
  std::vector<T> results(static_cast<size_t>(ranks));
  RunThreadWorld(
      ranks,
      [&](Communicator& communicator) {
        omp_set_num_threads(1);
        results[static_cast<size_t>(communicator.place().rank)] = body(communicator);
      },
      world);
  return results;
}

void ExpectSameBits(const std::vector<Tensor>& found, const std::vector<Tensor>& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (size_t i = 0; i < found.size(); ++i)
    ASSERT_EQ(std::memcmp(found[i].raw(), wanted[i].raw(), wanted[i].bytes()), 0) << "weight " << i;
}

// Relative to the largest element of each weight.
void ExpectNear(const std::vector<Tensor>& found, const std::vector<Tensor>& wanted, double relative) {
  ASSERT_EQ(found.size(), wanted.size());
  for (size_t i = 0; i < found.size(); ++i) {
    double largest = 0;
    for (int64_t k = 0; k < wanted[i].size(); ++k)
      largest = std::max<double>(largest, std::abs(wanted[i].data<float>()[k]));
    for (int64_t k = 0; k < wanted[i].size(); ++k)
      ASSERT_NEAR(found[i].data<float>()[k], wanted[i].data<float>()[k], relative * largest)
          << "weight " << i << ", element " << k;
  }
}

// ---- equal weights

constexpr int64_t kBatch = 12;
constexpr int kSteps = 8;

using MakeOptimizer = std::function<keras::Optimizer()>;
keras::Optimizer MakeSgd() { return SGD({.learning_rate = 0.05f, .momentum = 0.9f}); }

// The weights of each of `ranks`, each of which has its part of every batch.
std::vector<std::vector<Tensor>> TrainOnShards(int ranks, const ModelKind& kind, const MakeOptimizer& optimizer,
                                               const DistributedOptimizerOptions& options = {},
                                               int64_t bucket_bytes = 512, const ThreadWorldOptions& world = {}) {
  const auto train = [&](Communicator& communicator) {
    Model model = MakeModel(kind);
    Compile(model, MakeDistributed(Of(communicator), optimizer(), options, bucket_bytes));
    const int64_t rows = kBatch / ranks, from = communicator.place().rank * rows;
    for (int step = 0; step < kSteps; ++step)
      model.train_on_batch(Images(kBatch, step + 1).Slice(from, from + rows),
                           Labels(kBatch, step).Slice(from, from + rows));
    return WeightsOf(model);
  };
  return OnRanks<std::vector<Tensor>>(ranks, train, world);
}

std::vector<Tensor> TrainAlone(const ModelKind& kind, const MakeOptimizer& optimizer) {
  omp_set_num_threads(1);
  Model model = MakeModel(kind);
  Compile(model, optimizer());
  for (int step = 0; step < kSteps; ++step) model.train_on_batch(Images(kBatch, step + 1), Labels(kBatch, step));
  return WeightsOf(model);
}

TEST(DistributedTraining, GivesTheWeightsOfOneProcessOnTheCombinedBatches) {
  for (const bool batch_normalization : {false, true})
    for (const int ranks : {1, 2, 3, 4}) {
      SCOPED_TRACE(fmt::format("{} ranks, SyncBatchNormalization: {}", ranks, batch_normalization));
      const ModelKind kind{.batch_normalization = batch_normalization};
      const auto found = TrainOnShards(ranks, kind, MakeSgd);
      ExpectNear(found[0], TrainAlone(kind, MakeSgd), 1e-5);
      for (int rank = 1; rank < ranks; ++rank) ExpectSameBits(found[rank], found[0]);
    }
}

TEST(DistributedTraining, GivesThemOverMachinesToo) {
  const ModelKind kind{.batch_normalization = true};
  const ThreadWorldOptions machines{.machines = {"a", "a", "b"}};
  const auto alone = TrainAlone(kind, MakeSgd);
  const auto found = TrainOnShards(3, kind, MakeSgd, {}, 512, machines);
  ExpectNear(found[0], alone, 1e-5);
  for (const Compression compression : {Compression::kFloat16, Compression::kBFloat16}) {
    SCOPED_TRACE(static_cast<int>(compression));
    const auto compressed = TrainOnShards(3, kind, MakeSgd, {.compression = compression}, 512, machines);
    ExpectNear(compressed[0], alone, compression == Compression::kFloat16 ? 2e-2 : 1e-1);
    for (int rank = 1; rank < 3; ++rank) ExpectSameBits(compressed[rank], compressed[0]);
  }
}

TEST(DistributedTraining, GivesTheSameBitsRunToRunAndWithAnyBuckets) {
  const ModelKind kind{.batch_normalization = true};
  const auto adam = [] { return Adam(); };
  const auto first = TrainOnShards(2, kind, adam);
  ExpectSameBits(TrainOnShards(2, kind, adam)[1], first[0]);
  for (const int64_t bytes : {0, 1 << 20}) ExpectSameBits(TrainOnShards(2, kind, adam, {}, bytes)[0], first[0]);
}

TEST(DistributedTraining, TakesHorovodsOptions) {
  const auto alone = TrainAlone({}, MakeSgd);
  ExpectNear(TrainOnShards(2, {}, MakeSgd, {.gradient_predivide_factor = 4})[0], alone, 1e-5);
  // A sum of two ranks' gradients at half the rate is their average.
  const auto half = [] { return SGD({.learning_rate = 0.025f, .momentum = 0.9f}); };
  ExpectNear(TrainOnShards(2, {}, half, {.op = ReduceOp::kSum})[0], alone, 1e-5);
}

// What is clipped, accumulated and averaged are the gradients of all ranks together.
TEST(DistributedTraining, UpdatesWithTheAveragedGradients) {
  const std::vector<MakeOptimizer> optimizers = {
      [] { return SGD({.learning_rate = 0.05, .momentum = 0.9f, .clipnorm = 0.05f}); },
      [] { return SGD({.learning_rate = 0.05, .global_clipnorm = 0.1f}); },
      [] { return AdamW({.clipvalue = 0.01f, .use_ema = true, .ema_overwrite_frequency = 2}); },
      [] { return Lamb({.global_clipnorm = 0.1f, .gradient_accumulation_steps = 2}); },
      [] { return Adafactor({.learning_rate = CosineDecay(0.01, 6)}); }};
  for (size_t i = 0; i < optimizers.size(); ++i) {
    SCOPED_TRACE(i);
    const auto found = TrainOnShards(2, {}, optimizers[i]);
    ExpectNear(found[0], TrainAlone({}, optimizers[i]), 2e-4);
    ExpectSameBits(found[1], found[0]);
  }
}

TEST(DistributedTraining, SumsTheGradientsOfSeveralPasses) {
  const auto found = OnRanks<std::vector<Tensor>>(2, [](Communicator& communicator) {
    Model model = MakeModel();
    Compile(model, MakeDistributed(Of(communicator), MakeSgd(),
                                   {.backward_passes_per_step = 2, .average_aggregated_gradients = true}, 512));
    for (int step = 0; step < 2 * kSteps; ++step) {
      const int64_t from = 3 * (2 * communicator.place().rank + step % 2);
      model.train_on_batch(Images(kBatch, step / 2 + 1).Slice(from, from + 3),
                           Labels(kBatch, step / 2).Slice(from, from + 3));
    }
    EXPECT_EQ(model.optimizer().iterations(), 2 * kSteps);
    return WeightsOf(model);
  });
  ExpectNear(found[0], TrainAlone({}, MakeSgd), 1e-5);
  ExpectSameBits(found[1], found[0]);
}

// ---- fit()

struct FitResult {
  std::vector<Tensor> weights;
  keras::History history;
  std::string error;
  int64_t iterations = 0;
};

struct FitCase {
  ModelKind kind = {};
  std::function<int64_t(int rank)> batches = [](int) { return 4; };
  std::function<std::vector<keras::CallbackPtr>(Communicator&)> callbacks = [](Communicator& communicator) {
    return std::vector<keras::CallbackPtr>{MakeBroadcastCallback(communicator, 0),
                                           MakeMetricAverageCallback(communicator)};
  };
  std::function<int64_t(int rank)> model_seed = [](int) { return 3; };
  std::function<int64_t(int rank)> filters = [](int) { return 5; };
  std::function<int64_t(int rank)> steps_per_epoch = [](int) { return 0; };
  std::function<keras::Optimizer(int rank)> optimizer = [](int) { return MakeSgd(); };
  DistributedOptimizerOptions options = {};
};

std::vector<FitResult> Fit(int ranks, const FitCase& fit) {
  return OnRanks<FitResult>(ranks, [&](Communicator& communicator) {
    const int rank = communicator.place().rank;
    FitResult run;
    try {
      ModelKind kind = fit.kind;
      kind.seed = fit.model_seed(rank);
      kind.filters = fit.filters(rank);
      Model model = MakeModel(kind);
      Compile(model, MakeDistributed(Of(communicator), fit.optimizer(rank), fit.options, 512));
      const int64_t rows = 3 * fit.batches(rank);
      const auto data = data::Dataset::FromTensors(Images(rows, 7 + rank), Labels(rows, rank)).batch(3);
      const auto validation = data::Dataset::FromTensors(Images(6, 99 + rank), Labels(6, rank)).batch(3);
      run.history = model.fit(data, {.epochs = 2,
                                     .steps_per_epoch = fit.steps_per_epoch(rank),
                                     .validation_data = &validation,
                                     .callbacks = fit.callbacks(communicator),
                                     .verbose = 0});
      run.weights = WeightsOf(model);
      run.iterations = model.optimizer().iterations();
    } catch (const std::exception& error) {
      run.error = error.what();
    }
    return run;
  });
}

void ExpectTogether(const std::vector<FitResult>& runs) {
  for (const FitResult& run : runs) {
    ASSERT_EQ(run.error, "");
    ExpectSameBits(run.weights, runs[0].weights);
    EXPECT_EQ(run.history.history, runs[0].history.history) << "metrics are averages";
  }
}

TEST(DistributedFit, BeginsFromTheWeightsOfRankZero) {
  FitCase fit{.kind = {.batch_normalization = true}};
  const auto same = Fit(2, fit);
  ExpectTogether(same);
  fit.model_seed = [](int rank) { return 3 + rank; };
  const auto drawn_apart = Fit(2, fit);
  ExpectTogether(drawn_apart);
  ExpectSameBits(drawn_apart[0].weights, same[0].weights);
}

TEST(DistributedFit, RefusesRanksThatBeginFromDifferentWeights) {
  FitCase fit;
  fit.model_seed = [](int rank) { return 3 + rank; };
  fit.callbacks = [](Communicator&) { return std::vector<keras::CallbackPtr>{}; };
  for (const FitResult& run : Fit(2, fit))
    EXPECT_THAT(run.error, AllOf(HasSubstr("the values of conv2d/kernel"), HasSubstr("rank 1"),
                                 HasSubstr("BroadcastGlobalVariablesCallback")));
}

TEST(DistributedFit, RefusesRanksThatTrainDifferentThings) {
  FitCase fit;
  fit.filters = [](int rank) { return rank == 2 ? 6 : 5; };
  for (const FitResult& run : Fit(3, fit))
    EXPECT_THAT(run.error, HasSubstr("gradient 0, conv2d/kernel: found float32 (3, 3, 3, 6) on rank 2 (machine) and "
                                     "float32 (3, 3, 3, 5) on rank 0 (machine)"));
  fit = {};
  fit.steps_per_epoch = [](int rank) { return 2 + rank; };
  for (const FitResult& run : Fit(2, fit))
    EXPECT_THAT(run.error, HasSubstr("fit()'s steps_per_epoch: found 3 on rank 1 (machine) and 2 on rank 0 (machine)"));
}

TEST(DistributedFit, GoesOnUntilTheLastRankHasNoData) {
  for (const bool batch_normalization : {false, true})
    for (const int passes : {1, 2}) {
      FitCase fit{.kind = {.batch_normalization = batch_normalization}};
      fit.batches = [](int rank) { return 2 + 3 * rank; };
      fit.options.backward_passes_per_step = passes;
      const auto runs = Fit(3, fit);
      ExpectTogether(runs);
      EXPECT_EQ(runs[0].iterations, passes == 1 ? 2 * 8 : runs[1].iterations) << "the steps of the rank with most";
    }
}

TEST(DistributedFit, EndsForAllWithTheMessageOfTheRankThatFails) {
  FitCase fit;
  fit.callbacks = [](Communicator& communicator) {
    return std::vector<keras::CallbackPtr>{keras::LambdaCallback({.on_train_batch_end = [&](int batch, keras::Logs&) {
      if (communicator.place().rank == 1 && batch == 1) throw MakeError(ErrorCode::kDataLoss, "record 7 is corrupt");
    }})};
  };
  const auto runs = Fit(2, fit);
  for (const FitResult& run : runs)
    EXPECT_EQ(run.error, &run == &runs[1] ? "record 7 is corrupt" : "rank 1 (machine): record 7 is corrupt");
}

TEST(DistributedFit, NamesTheStepThatAMissingRankHasFinished) {
  ThreadWorldOptions world;
  world.settings.stall_warning_ms = 0;
  world.settings.stall_limit_ms = 1'500;
  std::promise<void> noticed;
  const auto train = [&](Communicator& communicator) -> std::string {
    Model model = MakeModel();
    Compile(model, MakeDistributed(Of(communicator), MakeSgd(), {}, 512));
    try {
      for (int step = 0; step < 5; ++step) {
        if (step == 3 && communicator.place().rank == 1) {
          noticed.get_future().wait();
          return "";
        }
        model.train_on_batch(Images(3, 1), Labels(3, 1));
      }
    } catch (const std::exception& error) {
      noticed.set_value();
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(OnRanks<std::string>(2, train, world)[0],
              AllOf(HasSubstr("step 4 of plan \"gradients\""), HasSubstr("rank 1 (machine), last finished step 3")));
}

TEST(DistributedFit, StopsForAllWhenOneStops) {
  FitCase fit;
  fit.callbacks = [](Communicator& communicator) {
    class Stops final : public keras::Callback {
      void on_train_batch_end(int /*batch*/, keras::Logs& /*logs*/) override { model().stop_training = true; }
    };
    std::vector<keras::CallbackPtr> callbacks = {MakeMetricAverageCallback(communicator)};
    if (communicator.place().rank == 1) callbacks.push_back(std::make_shared<Stops>());
    return callbacks;
  };
  const auto runs = Fit(2, fit);
  ExpectTogether(runs);
  EXPECT_EQ(runs[0].history.epoch.size(), 1u);
  EXPECT_EQ(runs[0].iterations, 4) << "rank 0 finishes its epoch";
}

TEST(DistributedFit, NoticesLearningRatesThatPart) {
  FitCase fit;
  fit.callbacks = [](Communicator& communicator) {
    class Halves final : public keras::Callback {
      void on_epoch_end(int /*epoch*/, keras::Logs& /*logs*/) override { model().optimizer().set_learning_rate(0.01f); }
    };
    std::vector<keras::CallbackPtr> callbacks;
    if (communicator.place().rank == 1) callbacks.push_back(std::make_shared<Halves>());
    return callbacks;
  };
  for (const FitResult& run : Fit(2, fit)) EXPECT_THAT(run.error, HasSubstr("the learning rate is 0.00999999977648"));
}

TEST(DistributedFit, NoticesSchedulesThatPart) {
  FitCase fit;
  fit.optimizer = [](int rank) {
    return SGD({.learning_rate = [rank](int64_t step) { return step < 4 || rank == 0 ? 0.05 : 0.01; }});
  };
  for (const FitResult& run : Fit(2, fit)) EXPECT_THAT(run.error, HasSubstr("the learning rate is 0.00999999977648"));
}

TEST(DistributedFit, NeedsABatchOnEveryRank) {
  FitCase fit;
  fit.batches = [](int rank) { return rank == 1 ? 1 : 4; };
  fit.steps_per_epoch = [](int) { return 2; };
  const auto runs = Fit(2, fit);  // one epoch with fewer steps on rank 1, which ends it for both
  for (const FitResult& run : runs) EXPECT_EQ(run.error, "");
  EXPECT_EQ(runs[0].history.epoch.size(), 1u);
}

TEST(DistributedOptimizer, RefusesWhatItCannotDo) {
  RunThreadWorld(1, [](Communicator& communicator) {
    const auto refused = [&](const DistributedOptimizerOptions& options, Optimizer optimizer = SGD()) -> std::string {
      try {
        MakeDistributed(Of(communicator), std::move(optimizer), options);
      } catch (const Error& error) {
        return error.what();
      }
      return "";
    };
    EXPECT_THAT(refused({.op = ReduceOp::kAdasum}), HasSubstr("op: found adasum, wanted average or sum"));
    EXPECT_THAT(refused({.backward_passes_per_step = 0}), HasSubstr("backward_passes_per_step: found 0"));
    EXPECT_THAT(refused({.op = ReduceOp::kSum, .gradient_predivide_factor = 2}),
                HasSubstr("gradient_predivide_factor"));
    EXPECT_THAT(refused({.gradient_predivide_factor = 0}), HasSubstr("gradient_predivide_factor: found 0"));
    EXPECT_THAT(refused({.backward_passes_per_step = 2}, SGD({.gradient_accumulation_steps = 3})),
                HasSubstr("found 2 of an optimizer whose gradient_accumulation_steps is 3"));
  });
}

}  // namespace
}  // namespace headrace::hvd
