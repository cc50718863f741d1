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
NodePtr MakeSlices(Element components);
NodePtr MakeElements(std::vector<Element> elements);
std::unique_ptr<Stage> StartElements(std::shared_ptr<const std::vector<Element>> elements);
NodePtr MakeRange(int64_t start, int64_t step, int64_t count);  // or kInfinite
NodePtr MakeLoad(std::string path);
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
NodePtr MakeFilter(NodePtr upstream, FilterFn keep);
NodePtr MakeTakeWhile(NodePtr upstream, FilterFn keep);
NodePtr MakeUnique(NodePtr upstream);
NodePtr MakeScan(NodePtr upstream, Element initial_state, ScanFn fn);
NodePtr MakeCache(NodePtr upstream, std::string file);  // empty: in memory
void SaveElements(const Dataset& dataset, const std::string& path);
NodePtr MakeCardinality(NodePtr upstream, int64_t count);

NodePtr MakeZip(std::vector<NodePtr> inputs);
NodePtr MakeConcatenate(NodePtr first, NodePtr second);
NodePtr MakeChoose(std::vector<NodePtr> inputs, NodePtr choices, bool stop_on_empty);
NodePtr MakeSample(std::vector<NodePtr> inputs, std::vector<double> weights, SampleOptions options);

NodePtr MakeFlatMap(NodePtr upstream, NestFn fn);
NodePtr MakeUnbatch(NodePtr upstream);
NodePtr MakeWindows(NodePtr upstream, int64_t size, WindowOptions options, WindowFn fn);
NodePtr MakePaddedBatch(NodePtr upstream, int64_t batch_size, PaddedBatchOptions options);
// What group_by_window() is told about its groups.
struct GroupFunctions {
  KeyFn key;
  ReduceGroupFn reduce;
  std::function<int64_t(int64_t key)> window_size;
};
NodePtr MakeGroups(NodePtr upstream, GroupFunctions functions);

NodePtr MakeShard(NodePtr upstream, int64_t num_shards, int64_t index);
NodePtr MakeInterleave(NodePtr upstream, NestFn fn, InterleaveOptions options);

}  // namespace headrace::data
