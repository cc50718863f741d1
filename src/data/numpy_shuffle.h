// The order in which numpy.random.RandomState(seed).shuffle leaves a list: Keras splits files by it, and orders the
// windows of series.
#pragma once

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace headrace::data {

template <typename T>
void NumpyShuffle(uint32_t seed, std::vector<T>& items) {
  std::mt19937 random(seed);
  for (size_t i = items.size(); i-- > 1;) {
    // A number up to i: bits enough for it, drawn again while they make a larger one.
    uint32_t mask = static_cast<uint32_t>(i);
    for (int bits = 1; bits < 32; bits *= 2) mask |= mask >> bits;
    uint32_t other = 0;
    do other = static_cast<uint32_t>(random()) & mask;
    while (other > i);
    std::swap(items[i], items[other]);
  }
}

}  // namespace headrace::data
