// One maker a kind of node; each is defined in the file of its name.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "headrace/data.h"

#include "data/dataset/stage.h"
#include "data/record_stream.h"

namespace headrace::data {

NodePtr MakeRecords(std::vector<std::string> files, ReaderOptions options, OpenRecords open);
NodePtr MakePipeMode(const std::string& channel, const PipeModeOptions& options);
NodePtr MakeSlices(std::vector<Tensor> components);
NodePtr MakeStrings(std::vector<std::string> strings);
NodePtr MakeGenerator(std::function<Generator()> make);

// A map function of either kind. Exactly one of `plain` and `random` is set.
struct MapCall {
  MapFn plain;
  RandomMapFn random;
  uint64_t seed = 0;  // of this run

  Element operator()(Element element, uint64_t index) const {
    if (plain) return plain(std::move(element));
    Random numbers(Random::Mix(seed + index));
    return random(std::move(element), numbers);
  }
};

NodePtr MakeMap(NodePtr upstream, MapFn plain, RandomMapFn random, MapOptions options);
// Runs `call` on several threads; elements come out in order. The first has index 0.
std::unique_ptr<Stage> StartParallelMap(std::unique_ptr<Stage> upstream, MapCall call, int num_parallel_calls);

NodePtr MakeShuffle(NodePtr upstream, int64_t buffer_size, ShuffleOptions options);
NodePtr MakeBatch(NodePtr upstream, int64_t batch_size, BatchOptions options);
NodePtr MakeRepeat(NodePtr upstream, int64_t count);
NodePtr MakePrefetch(NodePtr upstream, int64_t buffer_size);
NodePtr MakeTake(NodePtr upstream, int64_t count);
NodePtr MakeSkip(NodePtr upstream, int64_t count);
NodePtr MakeShard(NodePtr upstream, int64_t num_shards, int64_t index);
NodePtr MakeInterleave(NodePtr upstream, std::function<Dataset(Element)> fn, InterleaveOptions options);

}  // namespace headrace::data
