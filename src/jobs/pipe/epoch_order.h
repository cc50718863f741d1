// Which entries of a channel one epoch streams, and in which order.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace headrace::jobs {

struct EpochOrder {
  std::optional<uint64_t> shuffle_seed;  // absent: the order given
  uint32_t shard_index = 0, shard_count = 1;

  // Indices into a list of `entries`. The same seed gives the same order of every epoch on every host; the shards of
  // one epoch are disjoint and cover the list, and with a seed they are dealt anew each epoch.
  std::vector<uint32_t> Of(uint64_t epoch, uint32_t entries) const;
};

}  // namespace headrace::jobs
