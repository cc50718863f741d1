// elementwise.h: a flat array shared out among the threads in whole vectors.
#pragma once

#include "tensor/isa/lanes.h"
#include "tensor/parallel.h"

namespace headrace::tensor::HEADRACE_ISA {

// Calls body(index, lanes) for each vector of [0, count) on all threads. A thread gets whole pieces of 4096 elements,
// so that threads share no cache line and short arrays stay on one.
template <typename Body>
static inline void ForEachVectorParallel(int64_t count, const Body& body) {
  constexpr int64_t kPiece = 4096;
  ParallelRanges((count + kPiece - 1) / kPiece, [&](int64_t begin, int64_t end, int) {
    const int64_t first = begin * kPiece;
    const int64_t last = end * kPiece < count ? end * kPiece : count;
    ForEachVector(last - first, [&](int64_t i, auto lanes) { body(first + i, lanes); });
  });
}

}  // namespace headrace::tensor::HEADRACE_ISA
