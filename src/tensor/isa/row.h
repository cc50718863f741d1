// row.h: reductions over one row of scores, for softmax and crossentropy.
#pragma once

#include "tensor/isa/math.h"

namespace headrace::tensor::HEADRACE_ISA {

// Sum of term(index, lanes) over [0, count), where a term yields a vector; lanes beyond the row do not count.
template <typename Term>
static inline float SumOverRow(int64_t count, const Term& term) {
  F32 sum{};
  ForEachVector(count, [&](int64_t i, auto lanes) { sum += Where(ActiveLanes(lanes), term(i, lanes)); });
  return SumOfLanes(sum);
}

template <typename T>
static inline float LargestOfRow(const T* x, int64_t count) {
  F32 largest = Broadcast(-__builtin_inff());
  ForEachVector(count, [&](int64_t i, auto lanes) {
    const F32 value = Load(x + i, lanes);
    largest = (value > largest) & ActiveLanes(lanes) ? value : largest;
  });
  return MaxOfLanes(largest);
}

// Sum of e^(x - largest).
template <typename T>
static inline float SumOfExponentials(const T* x, int64_t count, float largest) {
  return SumOverRow(count, [&](int64_t i, auto lanes) { return Exp(Load(x + i, lanes) - largest); });
}

}  // namespace headrace::tensor::HEADRACE_ISA
