// Public functions of Dataset that check what they are given and make a node, beside those in dataset.cc: numbers as a
// source, several data sets as one, caches and saved files, and what filters, nests, folds or counts elements.
#include <algorithm>
#include <numeric>

#include "base/result.h"
#include "data/dataset/nodes.h"

namespace headrace::data {
namespace {

std::vector<NodePtr> NodesOf(const char* what, const std::vector<Dataset>& datasets) {
  if (datasets.empty()) throw MakeError(ErrorCode::kInvalidArgument, "{}: found no dataset, wanted one", what);
  std::vector<NodePtr> nodes;
  for (const Dataset& dataset : datasets) nodes.push_back(dataset.node());
  return nodes;
}

}  // namespace

Dataset Dataset::Range(int64_t stop) { return Range(0, stop); }

Dataset Dataset::Range(int64_t start, int64_t stop, int64_t step) {
  if (step == 0) throw MakeError(ErrorCode::kInvalidArgument, "Range: step: found 0, wanted another number");
  const bool up = step > 0;
  if (up ? start >= stop : start <= stop) return Dataset(MakeRange(start, step, 0));
  const uint64_t distance = up ? static_cast<uint64_t>(stop) - static_cast<uint64_t>(start)
                               : static_cast<uint64_t>(start) - static_cast<uint64_t>(stop);
  const uint64_t size = up ? static_cast<uint64_t>(step) : uint64_t{0} - static_cast<uint64_t>(step);
  const uint64_t count = (distance - 1) / size + 1;
  return Dataset(MakeRange(start, step, static_cast<int64_t>(std::min<uint64_t>(count, INT64_MAX))));
}

Dataset Dataset::Counter(int64_t start, int64_t step) { return Dataset(MakeRange(start, step, kInfinite)); }

Dataset Dataset::Zip(std::vector<Dataset> datasets) { return Dataset(MakeZip(NodesOf("Zip", datasets))); }

Dataset Dataset::ChooseFromDatasets(std::vector<Dataset> datasets, const Dataset& choices, bool stop_on_empty_dataset) {
  return Dataset(MakeChoose(NodesOf("ChooseFromDatasets", datasets), choices.node(), stop_on_empty_dataset));
}

Dataset Dataset::SampleFromDatasets(std::vector<Dataset> datasets, std::vector<double> weights, SampleOptions options) {
  auto nodes = NodesOf("SampleFromDatasets", datasets);
  if (weights.empty()) weights.assign(nodes.size(), 1);
  if (weights.size() != nodes.size())
    throw MakeError(ErrorCode::kInvalidArgument, "SampleFromDatasets: weights: found {}, wanted {}, one a dataset",
                    weights.size(), nodes.size());
  for (const double weight : weights)
    if (!(weight >= 0) || weight > 1e300)
      throw MakeError(ErrorCode::kInvalidArgument, "SampleFromDatasets: weights: found {}, wanted 0 or more", weight);
  if (std::accumulate(weights.begin(), weights.end(), 0.0) <= 0)
    throw MakeError(ErrorCode::kInvalidArgument, "SampleFromDatasets: weights: found zeros only, wanted one above 0");
  return Dataset(MakeSample(std::move(nodes), std::move(weights), options));
}

Dataset Dataset::Load(const std::string& path) { return Dataset(MakeLoad(path)); }
void Dataset::save(const std::string& path) const { SaveElements(*this, path); }
Dataset Dataset::cache(const std::string& filename) const { return Dataset(MakeCache(node_, filename)); }

Dataset Dataset::concatenate(const Dataset& dataset) const { return Dataset(MakeConcatenate(node_, dataset.node())); }
Dataset Dataset::enumerate(int64_t start) const { return Zip({Counter(start), *this}); }
Dataset Dataset::filter(FilterFn predicate) const { return Dataset(MakeFilter(node_, std::move(predicate))); }
Dataset Dataset::take_while(FilterFn predicate) const { return Dataset(MakeTakeWhile(node_, std::move(predicate))); }
Dataset Dataset::unique() const { return Dataset(MakeUnique(node_)); }
Dataset Dataset::flat_map(NestFn fn) const { return Dataset(MakeFlatMap(node_, std::move(fn))); }
Dataset Dataset::unbatch() const { return Dataset(MakeUnbatch(node_)); }
Dataset Dataset::rebatch(int64_t batch_size, BatchOptions options) const {
  return unbatch().batch(batch_size, options);
}

Dataset Dataset::scan(Element initial_state, ScanFn fn) const {
  return Dataset(MakeScan(node_, std::move(initial_state), std::move(fn)));
}

Dataset Dataset::assert_cardinality(int64_t expected) const {
  if (expected < kInfinite)
    throw MakeError(ErrorCode::kInvalidArgument, "assert_cardinality: found {}, wanted 0 or more, or kInfinite",
                    expected);
  return Dataset(MakeCardinality(node_, expected));
}

Element Dataset::reduce(Element initial_state, const ReduceFn& fn) const {
  if (cardinality() == kInfinite)
    throw MakeError(ErrorCode::kInvalidArgument, "reduce: found a dataset without end, wanted a finite one");
  for (const Element& element : *this) initial_state = fn(std::move(initial_state), element);
  return initial_state;
}

Element Dataset::get_single_element() const {
  auto elements = MakeIterator();
  auto element = elements.Next();
  if (!element || elements.Next())
    throw MakeError(ErrorCode::kInvalidArgument, "get_single_element: found {} elements, wanted one",
                    element ? "several" : "no");
  return std::move(*element);
}

WindowedDataset Dataset::window(int64_t size, WindowOptions options) const {
  if (options.shift == 0) options.shift = size;
  int64_t span = 0;
  if (size < 1 || options.shift < 1 || options.stride < 1 || __builtin_mul_overflow(size, options.stride, &span))
    throw MakeError(ErrorCode::kInvalidArgument, "window: found size {}, shift {} and stride {}, wanted 1 or more each",
                    size, options.shift, options.stride);
  return {*this, size, options};
}

Dataset WindowedDataset::flat_map(WindowFn fn) const {
  return Dataset(MakeWindows(dataset_.node(), size_, options_, std::move(fn)));
}

}  // namespace headrace::data
