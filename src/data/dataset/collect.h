// For tests: data sets of numbers, and the numbers of data sets.
#pragma once

#include <numeric>
#include <vector>

#include "headrace/data.h"

namespace headrace::data {

using Numbers = std::vector<int64_t>;

inline Numbers Iota(int64_t count, int64_t from = 0) {
  Numbers numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), from);
  return numbers;
}

inline Dataset Range(int64_t count, int64_t from = 0) {
  return Dataset::FromTensors(Tensor::FromVector(Iota(count, from), {count}));
}

// The first components as plain numbers, one after the other.
inline Numbers Collect(Iterator iterator, size_t most = 100000) {
  Numbers numbers;
  while (numbers.size() < most) {
    const auto element = iterator.Next();
    if (!element) break;
    const auto* values = element->x().data<int64_t>();
    numbers.insert(numbers.end(), values, values + element->x().size());
  }
  return numbers;
}
inline Numbers Collect(const Dataset& dataset, size_t most = 100000) { return Collect(dataset.MakeIterator(), most); }

}  // namespace headrace::data
