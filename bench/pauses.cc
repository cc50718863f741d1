// How often this machine takes a processor away from a busy thread: the ground below every figure of a tail.
//
// usage: bench_pauses SECONDS    one thread a processor reads the clock and does nothing else
//
// One JSON line: per_second, gaps of more than 1 ms between two readings, over all threads; lost, the part of the time
// that went into gaps of more than 0.1 ms; longest, in milliseconds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "base/processors.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Pauses {
  size_t long_ones = 0;
  double lost = 0, longest = 0;  // milliseconds
};

Pauses ReadTheClock(Clock::time_point end) {
  Pauses pauses;
  for (auto last = Clock::now(); last < end;) {
    const auto now = Clock::now();
    const double gap = std::chrono::duration<double, std::milli>(now - last).count();
    last = now;
    if (gap < 0.1) continue;
    pauses.lost += gap;
    pauses.long_ones += gap > 1 ? 1 : 0;
    pauses.longest = std::max(pauses.longest, gap);
  }
  return pauses;
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc == 2 ? std::atof(argv[1]) : 0;
  if (seconds <= 0) {
    std::fputs("usage: bench_pauses SECONDS\n", stderr);
    return 2;
  }
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  std::vector<Pauses> of_thread(headrace::Processors().size());
  std::vector<std::thread> threads;
  threads.reserve(of_thread.size());
  for (Pauses& pauses : of_thread) threads.emplace_back([&pauses, end] { pauses = ReadTheClock(end); });
  for (std::thread& thread : threads) thread.join();
  Pauses all;
  for (const Pauses& pauses : of_thread) {
    all.long_ones += pauses.long_ones;
    all.lost += pauses.lost;
    all.longest = std::max(all.longest, pauses.longest);
  }
  std::printf("{\"per_second\": %.2f, \"lost\": %.5f, \"longest\": %.2f}\n", double(all.long_ones) / seconds,
              all.lost / (1e3 * seconds * double(of_thread.size())), all.longest);
  return 0;
}
