// Times the input pipeline on CIFAR-10 records. Google Benchmark for the parts; with --pipeline FILE the figures that
// scripts/bench data compares with TensorFlow's, one line "NAME VALUE" each.
#include "headrace/data.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include "data/augment.h"
#include "data/crc32c.h"

namespace {

using namespace headrace::data;
using Clock = std::chrono::steady_clock;

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// --- Figures for the comparison --------------------------------------------------------------------------------

// GB/s, the best of `runs`.
double ReadRate(int runs, const std::function<uint64_t()>& read_all) {
  double best = 0;
  for (int run = 0; run < runs; ++run) {
    const auto start = Clock::now();
    const uint64_t bytes = read_all();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, static_cast<double>(bytes) / seconds * 1e-9);
  }
  return best;
}

// Bytes of the file: framing and data, as both sides count them.
uint64_t ReadRecords(const std::string& file) {
  constexpr uint64_t kFrame = 16;
  uint64_t bytes = 0;
  auto iterator = Dataset::TFRecord({file}).MakeIterator();
  while (const auto element = iterator.Next()) bytes += element->x().bytes() + kFrame;
  return bytes;
}

uint64_t ReadAndParse(const std::string& file) {
  constexpr uint64_t kFrame = 16;
  uint64_t bytes = 0;
  auto iterator = Dataset::TFRecord({file}).MakeIterator();
  while (const auto element = iterator.Next()) {
    const ExampleView example(Bytes(element->x()));
    benchmark::DoNotOptimize(example.Bytes("image").data());
    benchmark::DoNotOptimize(example.Int64("label"));
    bytes += element->x().bytes() + kFrame;
  }
  return bytes;
}

// Microseconds of processor time (all threads) for an image through the whole training pipeline, after warming up.
double PipelineCost(const std::string& file) {
  constexpr int64_t kBatch = 256;
  auto iterator = Dataset::TFRecord({file})
                      .repeat()
                      .prefetch(10)
                      .map(cifar10::ParseAndAugment, {.num_parallel_calls = 10, .seed = 1})
                      .shuffle(20000 + 3 * kBatch, {.seed = 1})
                      .batch(kBatch, {.drop_remainder = true})
                      .MakeIterator();
  constexpr int kWarmUp = 40, kBatches = 200;
  for (int i = 0; i < kWarmUp; ++i) iterator.Next();
  const double start = CpuSeconds();
  for (int i = 0; i < kBatches; ++i) benchmark::DoNotOptimize(iterator.Next()->x().raw());
  return (CpuSeconds() - start) / (kBatches * kBatch) * 1e6;
}

// Milliseconds until the first batch after skipping `steps` of them.
double ResumeTime(const std::string& file, int64_t steps) {
  const auto start = Clock::now();
  auto iterator = Dataset::TFRecord({file})
                      .repeat()
                      .prefetch(10)
                      .map(cifar10::ParseAndAugment, {.num_parallel_calls = 10, .seed = 1})
                      .shuffle(20000 + 3 * 256, {.seed = 1})
                      .batch(256, {.drop_remainder = true})
                      .MakeIterator();
  iterator.Skip(steps);
  iterator.Next();
  return std::chrono::duration<double>(Clock::now() - start).count() * 1e3;
}

int Compare(const std::string& file) {
  constexpr int kRuns = 5;
  std::printf("read_gb_per_s %.3f\n", ReadRate(kRuns, [&] { return ReadRecords(file); }));
  std::printf("parse_gb_per_s %.3f\n", ReadRate(kRuns, [&] { return ReadAndParse(file); }));
  std::printf("pipeline_us_per_image %.3f\n", PipelineCost(file));
  std::printf("first_batch_ms %.1f\n", ResumeTime(file, 0));
  std::printf("resume_after_100_epochs_ms %.1f\n", ResumeTime(file, 15600));
  return 0;
}

// --- Parts -----------------------------------------------------------------------------------------------------

void Checksum(benchmark::State& state) {
  const auto& implementation = Crc32cImplementations()[static_cast<size_t>(state.range(0))];
  const std::string bytes(3109, 'x');
  for (auto _ : state)
    benchmark::DoNotOptimize(implementation.run(0, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes.size()));
  state.SetLabel(implementation.name);
}
BENCHMARK(Checksum)->DenseRange(0, static_cast<int64_t>(Crc32cImplementations().size()) - 1);

void ParseExample(benchmark::State& state) {
  const std::string record = cifar10::EncodeRecord(std::string(3072, 'x'), 3);
  for (auto _ : state) {
    const ExampleView view(record);
    benchmark::DoNotOptimize(view.Bytes("image").data());
    benchmark::DoNotOptimize(view.Int64("label"));
  }
}
BENCHMARK(ParseExample);

void Augment(benchmark::State& state) {
  const std::string image(3072, 'x');
  uint8_t out[3072];
  Random random(1);
  for (auto _ : state) {
    const auto what = image::CropAndFlip::Draw(4, random);
    image::AugmentChw(reinterpret_cast<const uint8_t*>(image.data()), 32, 32, what, out);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(Augment);

void ParseAndAugmentElement(benchmark::State& state) {
  const Element record(FromBytes(cifar10::EncodeRecord(std::string(3072, 'x'), 3)));
  Random random(1);
  for (auto _ : state) benchmark::DoNotOptimize(cifar10::ParseAndAugment(record, random).x().raw());
}
BENCHMARK(ParseAndAugmentElement);

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--pipeline") == 0) return Compare(argv[2]);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
