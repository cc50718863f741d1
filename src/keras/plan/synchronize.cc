#include "keras/plan/synchronize.h"

#include <algorithm>

namespace headrace::keras::internal {

SynchronizedChannels::SynchronizedChannels(int64_t channels)
    : channels_(channels), mine_(static_cast<size_t>(1 + 2 * channels)) {}

void SynchronizedChannels::Gather(GradientExchange& exchange, int64_t rows, const float* first, const float* second) {
  std::fill(mine_.begin(), mine_.end(), 0.0f);
  if (rows > 0) {
    mine_[0] = static_cast<float>(rows);
    std::copy_n(first, channels_, mine_.data() + 1);
    std::copy_n(second, channels_, mine_.data() + 1 + channels_);
  }
  all_.resize(mine_.size() * static_cast<size_t>(exchange.size()));
  exchange.Gather(mine_.data(), static_cast<int64_t>(mine_.size()), all_.data());
}

double SynchronizedChannels::MergeMoments(GradientExchange& exchange, int64_t rows,
                                          const tensor::ChannelMoments& moments) {
  Gather(exchange, rows, moments.mean, moments.variance);
  double total = 0;
  for (int rank = 0; rank < exchange.size(); ++rank) total += OfRank(rank)[0];
  if (total == 0) return 0;
  for (int64_t c = 0; c < channels_; ++c) {
    double count = 0, mean = 0, m2 = 0;
    for (int rank = 0; rank < exchange.size(); ++rank) {
      const float* of = OfRank(rank);
      if (of[0] == 0) continue;
      const double both = count + of[0], delta = of[1 + c] - mean;
      m2 += static_cast<double>(of[1 + channels_ + c]) * of[0] + delta * delta * (count / both) * of[0];
      mean += delta * (of[0] / both);
      count = both;
    }
    moments.mean[c] = static_cast<float>(mean);
    moments.variance[c] = static_cast<float>(m2 / total);
  }
  return total;
}

void SynchronizedChannels::ShareSums(GradientExchange& exchange, int64_t rows, float* first, float* second) {
  Gather(exchange, rows, first, second);
  double total = 0;
  for (int rank = 0; rank < exchange.size(); ++rank) total += OfRank(rank)[0];
  if (rows == 0 || total == 0) return;
  const double share = static_cast<double>(rows) / total;
  for (int64_t c = 0; c < channels_; ++c) {
    double a = 0, b = 0;
    for (int rank = 0; rank < exchange.size(); ++rank) {
      a += OfRank(rank)[1 + c];
      b += OfRank(rank)[1 + channels_ + c];
    }
    first[c] = static_cast<float>(a * share);
    second[c] = static_cast<float>(b * share);
  }
}

}  // namespace headrace::keras::internal
