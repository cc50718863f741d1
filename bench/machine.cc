// What this machine can do at most, for the floors that the comparisons name: float32 and bfloat16 operations a second
// (independent multiply-adds in registers) and bytes a second (a copy that no cache holds). One JSON line.
// Threads: OMP_NUM_THREADS.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <vector>

#include <immintrin.h>
#include <omp.h>

#include "tensor/parallel.h"

namespace {

using Clock = std::chrono::steady_clock;
constexpr int kChains = 12;  // enough to hide the latency of a multiply-add on two ports
constexpr long kRounds = 4'000'000;

__attribute__((target("avx512f"), noinline)) float MultiplyAdd512() {
  __m512 sums[kChains];
  for (auto& sum : sums) sum = _mm512_set1_ps(1.0f);
  const __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(0.001f);
  for (long i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (auto& sum : sums) sum = _mm512_fmadd_ps(sum, a, b);
  }
  float total = 0;
  for (const auto& sum : sums) total += _mm512_cvtss_f32(sum);
  return total;
}

__attribute__((target("avx2,fma"), noinline)) float MultiplyAdd256() {
  __m256 sums[kChains];
  for (auto& sum : sums) sum = _mm256_set1_ps(1.0f);
  const __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.001f);
  for (long i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (auto& sum : sums) sum = _mm256_fmadd_ps(sum, a, b);
  }
  float total = 0;
  for (const auto& sum : sums) total += _mm256_cvtss_f32(sum);
  return total;
}

__attribute__((target("avx512f,avx512bf16"), noinline)) float MultiplyAddBf16() {
  __m512 sums[kChains];
  for (auto& sum : sums) sum = _mm512_set1_ps(1.0f);
  const __m512 half = _mm512_set1_ps(0.001f);
  const __m512bh a = _mm512_cvtne2ps_pbh(half, half);
  for (long i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (auto& sum : sums) sum = _mm512_dpbf16_ps(sum, a, a);
  }
  float total = 0;
  for (const auto& sum : sums) total += _mm512_cvtss_f32(sum);
  return total;
}

double Best(const std::function<void()>& run) {
  double best = 1e30;
  for (int i = 0; i < 5; ++i) {
    const auto start = Clock::now();
    run();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

// GFLOP/s of all threads, each in `kernel`, which does `flops` for every chain and round.
double Peak(float (*kernel)(), double flops) {
  volatile float sink = 0;
  const double seconds = Best([&] {
    headrace::tensor::ParallelRanges(headrace::tensor::NumThreads(), [&](int64_t, int64_t, int) { sink = kernel(); });
  });
  return flops * kChains * kRounds * headrace::tensor::NumThreads() / seconds * 1e-9;
}

// GB/s read plus written by a copy of 256 MiB.
double Copy() {
  constexpr int64_t kBytes = int64_t{256} << 20;
  std::vector<char> from(kBytes, 1), to(kBytes, 2);
  const double seconds = Best([&] {
    headrace::tensor::ParallelRanges(kBytes, [&](int64_t begin, int64_t end, int) {
      std::memcpy(to.data() + begin, from.data() + begin, static_cast<size_t>(end - begin));
    });
  });
  return 2e-9 * kBytes / seconds;
}

}  // namespace

int main() {
  const bool avx512 = __builtin_cpu_supports("avx512f");
  const double f32 = avx512 ? Peak(MultiplyAdd512, 32) : Peak(MultiplyAdd256, 16);
  const double bf16 = __builtin_cpu_supports("avx512bf16") ? Peak(MultiplyAddBf16, 64) : 0;
  std::printf("{\"threads\": %d, \"float32_gflops\": %.1f, \"bfloat16_gflops\": %.1f, \"copy_gb_per_s\": %.1f}\n",
              headrace::tensor::NumThreads(), f32, bf16, Copy());
  return 0;
}
