// Trains the example's CNN for a while and prints one JSON line: images a second (median step), peak memory, seconds
// to the first step. With --profile, where a step's time goes.
//
// usage: bench_training --data DIR --policy float32|mixed_bfloat16 --batch N --steps N [--profile] [--repeat-batch]
// DIR holds train/train.tfrecords. Threads: OMP_NUM_THREADS.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "headrace/data.h"
#include "headrace/keras.h"

#include "cnn.h"
#include "keras/engine.h"
#include "keras/plan/profile.h"

namespace {

using namespace headrace;
using namespace headrace::keras;
using Clock = std::chrono::steady_clock;

double Since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void PrintProfile(const keras::internal::Profile& profile) {
  double total = 0;
  for (const auto& row : profile.rows()) total += row.seconds / row.calls;
  for (const auto& row : profile.rows()) {
    const double seconds = row.seconds / row.calls;
    std::printf("%-70s %8.3f ms %5.1f %%", row.name.c_str(), 1e3 * seconds, 100 * seconds / total);
    if (row.flops > 0) std::printf(" %7.1f GFLOP/s", row.flops / seconds * 1e-9);
    std::printf("\n");
  }
  std::printf("%-70s %8.3f ms\n", "all stages", 1e3 * total);
}

}  // namespace

int main(int argc, char** argv) {
  const auto start = Clock::now();
  std::string data_directory, policy = "float32", algorithms;
  int64_t batch = 256, steps = 20, warmup = 5;
  bool profiled = false, one_batch = false;
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
    else if (option == "--algorithms")
      algorithms = value();
    else if (option == "--profile")
      profiled = true;
    else if (option == "--repeat-batch")
      one_batch = true;
    else
      return std::fprintf(stderr, "bench_training: unknown option %s\n", option.c_str()), 2;
  }

  Sequential model = bench::Cnn();
  model.compile(Adam({.learning_rate = 1e-3f}), "categorical_crossentropy", {"accuracy"},
                {.policy = policy, .conv_algorithms = algorithms});
  const auto dataset = data::Dataset::TFRecord({data_directory + "/train/train.tfrecords"})
                           .repeat()
                           .prefetch(10)
                           .map(data::cifar10::ParseAndAugment, {.num_parallel_calls = 10, .seed = 1})
                           .shuffle(20000 + 3 * batch, {.seed = 1})
                           .batch(batch, {.drop_remainder = true})
                           .prefetch(2);
  auto batches = dataset.MakeIterator();
  keras::internal::Engine engine(model.state(), tensor::MakeOneDnnBackend());
  keras::internal::Profile profile;
  std::vector<double> times;
  double first_step = 0, loss = 0;
  auto element = batches.Next();
  for (int64_t step = 0; step < warmup + steps; ++step) {
    if (step == warmup && profiled) engine.set_profile(&profile);
    const auto begin = Clock::now();
    if (!one_batch && step > 0) element = batches.Next();
    loss = engine.TrainBatch(element->x(), element->y()).loss / static_cast<double>(batch);
    if (step == 0) first_step = Since(start);
    if (step >= warmup) times.push_back(Since(begin));
  }
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2];
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  if (profiled) PrintProfile(profile);
  std::printf(
      "{\"peer\": \"headrace\", \"images_per_second\": %.1f, \"step_ms\": %.2f, \"best_step_ms\": %.2f, \"peak_mib\": "
      "%.0f, \"first_step_s\": %.2f, \"loss\": %.4f}\n",
      static_cast<double>(batch) / median, 1e3 * median, 1e3 * times.front(),
      static_cast<double>(usage.ru_maxrss) / 1024, first_step, loss);
}
