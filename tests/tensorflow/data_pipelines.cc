// The C++ side of test_data_pipelines.py: `data_pipelines CASE` prints each element of a pipeline in a line, as JSON:
// of every component [shape, values].
#include <cstdio>
#include <map>
#include <string>

#include "headrace/data.h"

namespace {

using namespace headrace;
using namespace headrace::data;

int64_t NumberOf(const Element& element) { return *element.x().data<int64_t>(); }
bool IsOdd(const Element& element) { return NumberOf(element) % 2 == 1; }

// The numbers 0 to n-1, and n.
Element Count(const Element& element) {
  const int64_t n = NumberOf(element);
  Tensor numbers(DType::kInt64, {n});
  for (int64_t i = 0; i < n; ++i) numbers.data<int64_t>()[i] = i;
  return {numbers, element.x()};
}

Dataset Lengths() {
  const std::vector<int64_t> lengths = {3, 1, 7, 4, 2, 9, 5, 5, 1, 8, 3, 6};
  return Dataset::FromTensorSlices(Tensor::FromVector(lengths, {12})).map(Count);
}

Dataset Batch(const Dataset& window) { return window.batch(10); }
Dataset RangeOf(const Element& element) { return Dataset::Range(NumberOf(element)); }
int64_t LengthOf(const Element& element) { return element.x().dim(0); }

std::map<std::string, Dataset> Pipelines() {
  const auto sum = [](const Element& state, const Element& element) {
    const Element next = Tensor::Scalar(NumberOf(state) + NumberOf(element));
    return std::pair(next, Element(element.x(), next.x()));
  };
  std::map<std::string, Dataset> all;
  const auto add = [&](const std::string& name, const Dataset& dataset) { all.emplace(name, dataset); };
  add("range", Dataset::Range(2, 20, 5).concatenate(Dataset::Range(3, -4, -3)));
  add("zip", Dataset::Zip({Dataset::Range(5), Dataset::Range(10, 13).enumerate(7)}));
  add("filter", Dataset::Range(11).filter(IsOdd).enumerate().batch(2));
  add("take_while", Dataset::Range(9).take_while([](const Element& element) { return NumberOf(element) != 4; }));
  add("flat_map", Dataset::Range(5).flat_map(RangeOf));
  for (const int64_t cycle : {1, 2, 3})
    for (const int64_t block : {1, 2, 4})
      add("interleave_" + std::to_string(cycle) + "_" + std::to_string(block),
          Dataset::Range(8).interleave(RangeOf, {.cycle_length = cycle, .block_length = block}));
  add("unbatch", Dataset::Range(7).batch(3).unbatch());
  add("rebatch", Dataset::Range(7).batch(3).rebatch(2));
  for (const int64_t shift : {1, 2, 5})
    for (const int64_t stride : {1, 3})
      for (const bool drop : {false, true})
        add("window_" + std::to_string(shift) + "_" + std::to_string(stride) + (drop ? "_drop" : ""),
            Dataset::Range(11).window(3, {.shift = shift, .stride = stride, .drop_remainder = drop}).flat_map(Batch));
  add("window", Dataset::Range(8).window(3).flat_map(Batch));
  add("scan", Dataset::Range(6).scan(Tensor::Scalar(int64_t{10}), sum));
  add("unique", Dataset::Range(9).map([](const Element& e) { return Tensor::Scalar(NumberOf(e) * 5 % 3); }).unique());
  add("padded_batch", Lengths().padded_batch(5));
  add("padded_batch_shape",
      Lengths().padded_batch(5, {.padded_shapes = {{10}, {}}, .padding_values = {-1, 0}, .drop_remainder = true}));
  add("buckets", Lengths().bucket_by_sequence_length(LengthOf, {3, 6}, {3, 2, 2}));
  add("buckets_boundary",
      Lengths().bucket_by_sequence_length(LengthOf, {3, 6, 10}, {3, 2, 2, 1}, {.pad_to_bucket_boundary = true}));
  add("buckets_drop", Lengths().bucket_by_sequence_length(LengthOf, {4}, {5, 4}, {.drop_remainder = true}));
  add("groups", Dataset::Range(20).group_by_window([](const Element& e) { return 2 - NumberOf(e) % 3; },
                                                   [](int64_t, const Dataset& group) { return group.batch(4); }, 4));
  const std::vector<Dataset> three = {Dataset::Range(3), Dataset::Range(10, 12), Dataset::Range(20, 29)};
  const auto choices = Dataset::Range(3).repeat(6);
  add("choose", Dataset::ChooseFromDatasets(three, choices));
  add("choose_all", Dataset::ChooseFromDatasets(three, choices, false));
  add("cache", Dataset::Range(4).cache().repeat(2).skip(3));
  add("shard", Dataset::Range(10).shard(3, 1).repeat(2).take(5));
  return all;
}

void Print(const Element& element) {
  std::string line = "[";
  for (const Tensor& tensor : element.components()) {
    line += line.size() > 1 ? ", [[" : "[[";
    for (size_t i = 0; i < tensor.shape().rank(); ++i) line += (i > 0 ? ", " : "") + std::to_string(tensor.dim(i));
    line += "], [";
    for (int64_t i = 0; i < tensor.size(); ++i) line += (i > 0 ? ", " : "") + std::to_string(tensor.data<int64_t>()[i]);
    line += "]]";
  }
  std::printf("%s]\n", line.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto pipelines = Pipelines();
    if (argc == 1)
      for (const auto& [name, dataset] : pipelines)
        std::printf("%s %ld\n", name.c_str(), static_cast<long>(dataset.cardinality()));
    if (argc == 2)
      for (const Element& element : pipelines.at(argv[1])) Print(element);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "data_pipelines: %s\n", error.what());
    return 1;
  }
}
