// Mean and variance of a whole from sums over its blocks.
#pragma once

#include <cstdint>

#include "tensor/backend.h"

namespace headrace::tensor {

// The sums a convolution kernel leaves for each block of outputs: [3][stride] floats, pivot, sum of (y - pivot), sum of
// (y - pivot)^2. Merged in the order of the blocks in double precision (T. Chan, G. Golub, R. LeVeque, "Algorithms for
// Computing the Sample Variance", 1983), so the result does not depend on the threads, nor loses digits when the mean
// is far from zero. count_of(b): outputs of block b.
template <typename CountOf>
void MergeMoments(int64_t blocks, const CountOf& count_of, int64_t channels, int64_t stride, const float* sums,
                  const ChannelMoments& moments) {
  for (int64_t c = 0; c < channels; ++c) {
    double total = 0, mean = 0, m2 = 0;
    for (int64_t b = 0; b < blocks; ++b) {
      const float* block = sums + b * 3 * stride + c;
      const double count = static_cast<double>(count_of(b));
      const double sum = block[stride];
      const double block_mean = block[0] + sum / count;
      const double block_m2 = block[2 * stride] - sum * sum / count;
      const double delta = block_mean - mean;
      const double both = total + count;
      m2 += block_m2 + delta * delta * (total / both) * count;
      mean += delta * (count / both);
      total = both;
    }
    moments.mean[c] = static_cast<float>(mean);
    moments.variance[c] = static_cast<float>(m2 > 0 ? m2 / total : 0);
  }
}

}  // namespace headrace::tensor
