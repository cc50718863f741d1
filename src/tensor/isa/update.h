// update.h: what all rules of an optimizer's step have before and behind them, and sums over a variable.
#pragma once

#include "tensor/isa/elementwise.h"
#include "tensor/vector_kernel_table.h"

namespace headrace::tensor::HEADRACE_ISA {

static inline F32 Mix(F32 old, F32 fresh, float kept) { return old * kept + fresh * (1.0f - kept); }
static inline F32 Mix(F32 old, F32 fresh, MeanShare share) { return old * share.kept + fresh * share.fresh; }

// The gradient as the rules see it; a NaN stays one.
template <typename Lanes>
static inline F32 Gradient(const UpdateArgs& a, int64_t i, Lanes lanes) {
  const F32 g = Load(a.g + i, lanes) * a.scale;
  if (a.clip == 0) return g;
  return g > Broadcast(a.clip) ? Broadcast(a.clip) : (g < Broadcast(-a.clip) ? Broadcast(-a.clip) : g);
}

template <typename Lanes>
static inline F32 Decayed(const UpdateArgs& a, int64_t i, Lanes lanes) {
  const F32 w = Load(a.w + i, lanes);
  return a.decay == 0 ? w : w - w * a.decay;
}

template <typename Lanes>
static inline void Finish(const UpdateArgs& a, int64_t i, F32 w, Lanes lanes) {
  Store(a.w + i, w, lanes);
  if (a.average != nullptr) Store(a.average + i, Mix(Load(a.average + i, lanes), w, a.average_momentum), lanes);
}

// Two sums at once.
struct Terms {
  F32 first, second;
};
struct Sums {
  double first = 0, second = 0;
};

// The sums of terms(index, lanes) over the vectors of [begin, end): float32 in each lane over short stretches, merged
// into doubles. Lanes that are not there have to be zero.
template <typename TermsOf>
static inline Sums SumsOfRange(int64_t begin, int64_t end, const TermsOf& terms) {
  constexpr int64_t kStretch = 4096;
  Sums sums;
  for (int64_t first = begin; first < end; first += kStretch) {
    F32 a{}, b{};
    ForEachVector(end - first < kStretch ? end - first : kStretch, [&](int64_t i, auto lanes) {
      const Terms term = terms(first + i, lanes);
      a += term.first;
      b += term.second;
    });
    for (int i = 0; i < kLanes; ++i) {
      sums.first += static_cast<double>(a[i]);
      sums.second += static_cast<double>(b[i]);
    }
  }
  return sums;
}

// The sums of sums_of(begin, end) over the threads' shares of [0, count), added in the order of the threads: the same
// bits for a number of threads.
template <typename SumsOf>
static inline Sums SumsOverThreads(int64_t count, double* scratch, const SumsOf& sums_of) {
  const int threads = NumThreads();
  const int64_t apart = ScratchDoubles(1, 1);  // more than a cache line
  for (int thread = 0; thread < threads; ++thread) scratch[thread * apart] = scratch[thread * apart + 1] = 0;
  ParallelRanges(count, [&](int64_t begin, int64_t end, int thread) {
    const Sums sums = sums_of(begin, end);
    scratch[thread * apart] = sums.first;
    scratch[thread * apart + 1] = sums.second;
  });
  Sums total;
  for (int thread = 0; thread < threads; ++thread) {
    total.first += scratch[thread * apart];
    total.second += scratch[thread * apart + 1];
  }
  return total;
}

template <typename TermsOf>
static inline Sums SumsOverVectors(int64_t count, double* scratch, const TermsOf& terms) {
  constexpr int64_t kPiece = 4096;
  return SumsOverThreads((count + kPiece - 1) / kPiece, scratch, [&](int64_t begin, int64_t end) {
    return SumsOfRange(begin * kPiece, end * kPiece < count ? end * kPiece : count, terms);
  });
}

// Rules that look at a variable as a whole (update_variable.cc).
void Lamb(const UpdateArgs& args, double* scratch);
void Adafactor(const UpdateArgs& args, double* scratch);

}  // namespace headrace::tensor::HEADRACE_ISA
