#include "jobs/pipe/epoch_order.h"

#include <numeric>
#include <utility>

namespace headrace::jobs {
namespace {

// SplitMix64: small, and the same numbers on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next() { return Mix(state_ += kStep); }
  uint64_t Below(uint64_t bound) { return static_cast<uint64_t>(static_cast<Wide>(Next()) * bound >> 64); }

  static uint64_t Mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }
  static constexpr uint64_t kStep = 0x9e3779b97f4a7c15u;

 private:
  __extension__ using Wide = unsigned __int128;
  uint64_t state_;
};

}  // namespace

std::vector<uint32_t> EpochOrder::Of(uint64_t epoch, uint32_t entries) const {
  std::vector<uint32_t> all(entries);
  std::iota(all.begin(), all.end(), 0u);
  if (shuffle_seed) {
    Random random(Random::Mix(*shuffle_seed) + Random::kStep * epoch);
    for (uint32_t i = entries; i > 1; --i) std::swap(all[i - 1], all[random.Below(i)]);
  }
  if (shard_count <= 1) return all;
  std::vector<uint32_t> mine;
  mine.reserve(entries / shard_count + 1);
  for (uint32_t i = shard_index; i < entries; i += shard_count) mine.push_back(all[i]);
  return mine;
}

}  // namespace headrace::jobs
