// The table metric_blocks: a series' samples in blocks of a database page each. Blocks follow each other by (start_ms,
// part): no sample of a block is before its start, none after the next block's.
#pragma once

#include <functional>
#include <span>

#include "base/result.h"
#include "store/meta/metric_sample.h"
#include "store/meta/sample_block.h"

namespace headrace::store {

class Connection;

// All of it runs inside the caller's Database::Read or Write.
class MetricBlocks {
 public:
  MetricBlocks(Connection& db, int64_t series) : db_(db), series_(series) {}

  // `samples` are in order of time; each comes behind those of its time that are there. Appending costs the last
  // block's page, as a row would; what is late rewrites the block that it belongs to.
  Status Add(std::span<const MetricSample* const> samples);

  using Visit = std::function<void(const MetricSample&)>;
  // Samples in [from, to), in order of time, then arrival.
  Status ReadTimes(UnixMillis from, UnixMillis to, const Visit& visit);
  // Those with a number in [from, to); the first sample is number 0.
  Status ReadNumbers(int64_t from, int64_t to, const Visit& visit);

  // Deletes the samples before `horizon` and says how many; `first` becomes the time of the first that is left.
  Result<int64_t> Expire(UnixMillis horizon, UnixMillis& first);

 private:
  struct Block;
  bool Find(UnixMillis time, Block& block);
  UnixMillis StartBehind(const Block& block);
  Status Join(const Block* block, std::span<const MetricSample* const> samples, UnixMillis next);
  void Save(const Block* block, std::span<const SampleBlockWriter> pieces);
  void Update(int64_t id, const SampleBlockWriter& piece);
  Result<int64_t> ExpireIn(const Block& block, UnixMillis horizon, UnixMillis& first);

  Connection& db_;
  const int64_t series_;
};

}  // namespace headrace::store
