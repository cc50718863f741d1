// Answers of the example's CNN: one JSON line with images a second (median of the calls) and milliseconds of a call.
//
// usage: bench_inference --policy float32|mixed_bfloat16 --batch N --calls N      threads: OMP_NUM_THREADS
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "headrace/keras.h"

#include "cnn.h"

int main(int argc, char** argv) {
  using namespace headrace;
  using Clock = std::chrono::steady_clock;
  std::string policy = "float32";
  int64_t batch = 256;
  int calls = 30;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--policy") == 0)
      policy = argv[i + 1];
    else if (std::strcmp(argv[i], "--batch") == 0)
      batch = std::stol(argv[i + 1]);
    else if (std::strcmp(argv[i], "--calls") == 0)
      calls = std::stoi(argv[i + 1]);
    else
      return std::fprintf(stderr, "bench_inference: unknown option %s\n", argv[i]), 2;
  }
  keras::Sequential model = bench::Cnn();
  model.compile(keras::Adam(), "categorical_crossentropy", {}, {.policy = policy});
  Tensor images(DType::kFloat32, {batch, 32, 32, 3});
  for (int64_t i = 0; i < images.size(); ++i) images.data<float>()[i] = static_cast<float>(i * 2654435761u % 256);

  std::vector<double> times;
  for (int i = 0; i < calls + 5; ++i) {
    const auto start = Clock::now();
    model.predict(images, {.batch_size = batch});
    if (i >= 5) times.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2];
  std::printf("{\"peer\": \"headrace\", \"images_per_second\": %.1f, \"call_ms\": %.4f}\n",
              static_cast<double>(batch) / median, 1e3 * median);
  return 0;
}
