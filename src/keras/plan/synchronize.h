// Statistics of channels over the batches of all ranks: what a synchronized BatchNormalization computes with.
#pragma once

#include <cstdint>
#include <vector>

#include "keras/gradient_exchange.h"
#include "tensor/backend.h"

namespace headrace::keras::internal {

class SynchronizedChannels {
 public:
  explicit SynchronizedChannels(int64_t channels);

  // From the moments of this rank's `rows` rows to those of all ranks' rows; with no rows at all they stay. Merged in
  // the order of the ranks in double precision (tensor/moment_merge.h names the source), so all ranks get the same
  // bits. Returns the number of all rows.
  double MergeMoments(GradientExchange& exchange, int64_t rows, const tensor::ChannelMoments& moments);

  // From this rank's sums to `rows` / (all rows) times the sums of all ranks: what stands for a sum over this rank's
  // rows alone where a formula divides it by `rows`.
  void ShareSums(GradientExchange& exchange, int64_t rows, float* first, float* second);

 private:
  void Gather(GradientExchange& exchange, int64_t rows, const float* first, const float* second);
  const float* OfRank(int rank) const { return all_.data() + static_cast<size_t>(rank) * mine_.size(); }

  int64_t channels_;
  std::vector<float> mine_;  // rows, then two values a channel
  std::vector<float> all_;   // the same of each rank
};

}  // namespace headrace::keras::internal
