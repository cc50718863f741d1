#include <algorithm>

#include <gmock/gmock.h>

#include "headrace/data.h"

#include "data/dataset/collect.h"
#include "data/test_files.h"

namespace headrace::data {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;

int64_t NumberOf(const Element& element) { return *element.x().data<int64_t>(); }
bool IsEven(const Element& element) { return NumberOf(element) % 2 == 0; }
Element Negate(const Element& element) { return Tensor::Scalar(-NumberOf(element)); }

// {0, …, length - 1} as one element, and the length beside it.
Element Sequence(const Element& element) {
  const int64_t length = NumberOf(element);
  return {Tensor::FromVector(Iota(length), {length}), Tensor::Scalar(length)};
}

Dataset Sequences(const Numbers& lengths) {
  return Dataset::FromTensorSlices(Tensor::FromVector(lengths, {static_cast<int64_t>(lengths.size())})).map(Sequence);
}

TEST(Element, ComponentsByName) {
  const auto element =
      Element::Named({{"age", Tensor::Scalar(3.f)}, {"city", FromBytes("Ulm")}, {"", Tensor::Scalar(1.f)}});
  EXPECT_EQ(*element["age"].data<float>(), 3.f);
  EXPECT_EQ(Bytes(element["city"]), "Ulm");
  EXPECT_EQ(element.name(1), "city");
  EXPECT_EQ(element.name(2), "");
  EXPECT_FALSE(element.Has(""));
  const auto [code, message] = ErrorOf([&] { (void)element["size"]; });
  EXPECT_EQ(code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(message, HasSubstr("\"size\", wanted one of: age, city"));
  EXPECT_THAT(ErrorOf([&] {
                Element::Named({{"a", Tensor::Scalar(1.f)}, {"a", Tensor::Scalar(1.f)}});
              }).second,
              HasSubstr("two components named \"a\""));
}

TEST(Dataset, NamesStayThroughTheChain) {
  const Tensor ages = Floats({30.f, 40.f, 50.f}, {3}), cities = Tensor::FromVector(Numbers{7, 8, 9}, {3});
  const Tensor labels = Tensor::FromVector(Numbers{0, 1, 0}, {3});
  const auto rows = Dataset::FromTensorSlices({{"age", ages}, {"city", cities}}, labels);
  const auto batch = rows.shuffle(3).batch(2).MakeIterator().Next();
  EXPECT_EQ(batch->name(0), "age");
  EXPECT_EQ((*batch)["city"].shape(), Shape{2});
  const auto row = rows.batch(3).unbatch().skip(1).enumerate().MakeIterator().Next();
  EXPECT_EQ(*(*row)["age"].data<float>(), 40.f);
  EXPECT_EQ(*(*row)[3].data<int64_t>(), 1);
  const auto padded = rows.padded_batch(2).MakeIterator().Next();
  EXPECT_EQ((*padded)["city"].data<int64_t>()[1], 8);
}

TEST(Dataset, RangeAndCounter) {
  EXPECT_EQ(Collect(Dataset::Range(4)), Iota(4));
  EXPECT_THAT(Collect(Dataset::Range(-2)), IsEmpty());
  EXPECT_THAT(Collect(Dataset::Range(2, 9, 3)), ElementsAre(2, 5, 8));
  EXPECT_THAT(Collect(Dataset::Range(5, 0, -2)), ElementsAre(5, 3, 1));
  EXPECT_THAT(Collect(Dataset::Range(INT64_MAX - 3, INT64_MAX, 2)), ElementsAre(INT64_MAX - 3, INT64_MAX - 1));
  EXPECT_EQ(Dataset::Range(INT64_MIN, INT64_MAX).cardinality(), INT64_MAX);
  EXPECT_EQ(Dataset::Range(7, 1, -6).cardinality(), 1);
  EXPECT_THAT(Collect(Dataset::Counter(3, -1), 3), ElementsAre(3, 2, 1));
  EXPECT_EQ(Dataset::Counter().cardinality(), kInfinite);
  EXPECT_EQ(ErrorOf([] { Dataset::Range(1, 2, 0); }).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Collect(Dataset::FromElements({Tensor::Scalar(int64_t{4}), Tensor::Scalar(int64_t{2})})), (Numbers{4, 2}));
}

TEST(Dataset, ZipEndsWithTheShortest) {
  const auto zipped = Dataset::Zip({Dataset::Range(5), Dataset::Range(3).map(Negate)});
  EXPECT_EQ(zipped.cardinality(), 3);
  auto iterator = zipped.MakeIterator();
  iterator.Skip(1);
  const auto pair = iterator.Next();
  EXPECT_EQ(pair->size(), 2u);
  EXPECT_EQ(*pair->y().data<int64_t>(), -1);
  EXPECT_EQ(iterator.Skip(5), 1);
  EXPECT_FALSE(iterator.Next());
  EXPECT_EQ(Dataset::Zip({Dataset::Counter(), Dataset::Counter()}).cardinality(), kInfinite);
  EXPECT_EQ(Dataset::Zip({Dataset::Counter(), Dataset::Range(4)}).cardinality(), 4);
  EXPECT_EQ(Dataset::Zip({Dataset::Range(1), Dataset::TFRecord({"x"})}).cardinality(), kUnknown);
  EXPECT_EQ(ErrorOf([] { Dataset::Zip({}); }).first, ErrorCode::kInvalidArgument);
  EXPECT_THAT(Collect(Dataset::Range(3).enumerate(5)), ElementsAre(5, 6, 7));
}

TEST(Dataset, Concatenate) {
  const auto both = Dataset::Range(3).concatenate(Dataset::Range(10, 12));
  EXPECT_THAT(Collect(both), ElementsAre(0, 1, 2, 10, 11));
  EXPECT_EQ(both.cardinality(), 5);
  EXPECT_THAT(Collect(both.skip(4)), ElementsAre(11));
  EXPECT_THAT(Collect(both.repeat(2).skip(6)), ElementsAre(1, 2, 10, 11));
  EXPECT_EQ(Dataset::Range(3).concatenate(Dataset::Counter()).cardinality(), kInfinite);
}

TEST(Dataset, FilterKeepsErrorsInTheirPlace) {
  EXPECT_THAT(Collect(Dataset::Range(7).filter(IsEven)), ElementsAre(0, 2, 4, 6));
  EXPECT_THAT(Collect(Dataset::Range(7).filter(IsEven).skip(2)), ElementsAre(4, 6));
  EXPECT_THAT(Collect(Dataset::Range(9).take_while([](const Element& e) { return NumberOf(e) < 3; })),
              ElementsAre(0, 1, 2));
  EXPECT_THAT(Collect(Dataset::Range(9).map([](const Element& e) { return Tensor::Scalar(NumberOf(e) % 4); }).unique()),
              ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(Dataset::Range(7).filter(IsEven).cardinality(), kUnknown);
  const auto failing = Dataset::Range(40).filter([](const Element& element) -> bool {
    if (NumberOf(element) == 20) throw Error(ErrorCode::kDataLoss, "twenty");
    return IsEven(element);
  });
  auto iterator = failing.batch(5).MakeIterator();
  EXPECT_TRUE(iterator.Next());
  EXPECT_TRUE(iterator.Next());
  EXPECT_EQ(ErrorOf([&] { iterator.Next(); }).second, "twenty");
}

TEST(Dataset, FlatMapUnbatchRebatch) {
  const auto times = Dataset::Range(4).flat_map([](const Element& e) { return Dataset::Range(NumberOf(e)); });
  EXPECT_THAT(Collect(times), ElementsAre(0, 0, 1, 0, 1, 2));
  EXPECT_THAT(Collect(times.skip(2)), ElementsAre(1, 0, 1, 2));
  EXPECT_EQ(Collect(Dataset::Range(10).batch(4).unbatch()), Iota(10));
  EXPECT_EQ(Collect(Dataset::Range(10).batch(4).unbatch().skip(5)), Iota(5, 5));
  Numbers sizes;
  for (const Element& batch : Dataset::Range(10).batch(4).rebatch(3)) sizes.push_back(batch.x().size());
  EXPECT_THAT(sizes, ElementsAre(3, 3, 3, 1));
  const auto uneven = Dataset::FromElements({Element(Floats({1.f}, {1}), Floats({1.f, 2.f}, {2}))});
  EXPECT_THAT(ErrorOf([&] { uneven.unbatch().MakeIterator().Next(); }).second, HasSubstr("shapes (1,) and (2,)"));
}

TEST(Dataset, Windows) {
  const auto windows = [](WindowOptions options, int64_t size) {
    std::vector<Numbers> all;
    const auto batches =
        Dataset::Range(7).window(size, options).flat_map([](const Dataset& window) { return window.batch(100); });
    for (const Element& batch : batches) all.push_back(Collect(Dataset::FromElements({batch})));
    return all;
  };
  EXPECT_THAT(windows({}, 3), ElementsAre(Numbers{0, 1, 2}, Numbers{3, 4, 5}, Numbers{6}));
  EXPECT_THAT(windows({.drop_remainder = true}, 3), ElementsAre(Numbers{0, 1, 2}, Numbers{3, 4, 5}));
  EXPECT_THAT(windows({.shift = 2, .stride = 2}, 2),
              ElementsAre(Numbers{0, 2}, Numbers{2, 4}, Numbers{4, 6}, Numbers{6}));
  EXPECT_THAT(windows({.shift = 5}, 2), ElementsAre(Numbers{0, 1}, Numbers{5, 6}));
  EXPECT_EQ(ErrorOf([] { Dataset::Range(3).window(0); }).first, ErrorCode::kInvalidArgument);
}

TEST(Dataset, ScanReduceSingle) {
  const auto sums = Dataset::Range(5).scan(Tensor::Scalar(int64_t{0}), [](const Element& sum, const Element& element) {
    const Element next = Tensor::Scalar(NumberOf(sum) + NumberOf(element));
    return std::pair(next, next);
  });
  EXPECT_THAT(Collect(sums), ElementsAre(0, 1, 3, 6, 10));
  EXPECT_EQ(sums.cardinality(), 5);
  const auto sum = Dataset::Range(5).reduce(
      Tensor::Scalar(int64_t{100}),
      [](const Element& state, const Element& element) { return Tensor::Scalar(NumberOf(state) + NumberOf(element)); });
  EXPECT_EQ(NumberOf(sum), 110);
  EXPECT_EQ(NumberOf(Dataset::Range(8, 9).get_single_element()), 8);
  EXPECT_THAT(ErrorOf([] { Dataset::Range(2).get_single_element(); }).second, HasSubstr("found several"));
  EXPECT_THAT(ErrorOf([] { Dataset::Range(0).get_single_element(); }).second, HasSubstr("found no"));
}

TEST(Dataset, ChooseAndSample) {
  const std::vector<Dataset> both = {Dataset::Range(3), Dataset::Range(10, 20)};
  const auto choices = Dataset::FromTensorSlices(Tensor::FromVector(Numbers{0, 1, 0, 0, 0, 1, 1}, {7}));
  EXPECT_THAT(Collect(Dataset::ChooseFromDatasets(both, choices)), ElementsAre(0, 10, 1, 2));
  EXPECT_THAT(Collect(Dataset::ChooseFromDatasets(both, choices, false)), ElementsAre(0, 10, 1, 2, 11, 12));
  EXPECT_THAT(ErrorOf([&] { Collect(Dataset::ChooseFromDatasets(both, Dataset::Range(2, 4))); }).second,
              HasSubstr("found 2, wanted 0 to 1"));
  const auto zeros = Dataset::Range(1).repeat().map([](const Element&) { return Tensor::Scalar(int64_t{0}); });
  const auto ones = Dataset::Range(1, 2).repeat();
  const auto mixed = Collect(Dataset::SampleFromDatasets({zeros, ones}, {1, 3}), 4000);
  EXPECT_NEAR(std::accumulate(mixed.begin(), mixed.end(), 0.0) / 4000, 0.75, 0.03);
  EXPECT_EQ(mixed, Collect(Dataset::SampleFromDatasets({zeros, ones}, {1, 3}), 4000));
  EXPECT_NE(mixed, Collect(Dataset::SampleFromDatasets({zeros, ones}, {1, 3}, {.seed = 1}), 4000));
  auto all = Collect(Dataset::SampleFromDatasets(both));
  std::sort(all.begin(), all.end());
  EXPECT_THAT(all, ElementsAreArray({0, 1, 2, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}));
  EXPECT_EQ(ErrorOf([&] { Dataset::SampleFromDatasets(both, {0, 0}); }).first, ErrorCode::kInvalidArgument);
}

TEST(Dataset, PaddedBatch) {
  auto batches = Sequences({2, 4, 1}).padded_batch(2).MakeIterator();
  const auto first = batches.Next();
  EXPECT_EQ(first->x().shape(), (Shape{2, 4}));
  EXPECT_THAT(std::vector<int64_t>(first->x().data<int64_t>(), first->x().data<int64_t>() + 8),
              ElementsAre(0, 1, 0, 0, 0, 1, 2, 3));
  EXPECT_EQ(batches.Next()->x().shape(), (Shape{1, 1}));
  const auto wide = Sequences({2, 4}).padded_batch(2, {.padded_shapes = {{5}, {}}, .padding_values = {-1, 0}});
  EXPECT_THAT(Collect(wide), ElementsAre(0, 1, -1, -1, -1, 0, 1, 2, 3, -1));
  EXPECT_THAT(ErrorOf([&] {
                Collect(Sequences({4}).padded_batch(1, {.padded_shapes = {{3}, {}}}));
              }).second,
              HasSubstr("found an element of 4 along axis 0, wanted at most 3"));
  EXPECT_THAT(ErrorOf([&] { Collect(Sequences({4}).padded_batch(1, {.padding_values = {0.5}})); }).second,
              HasSubstr("component 0 is int64: found 0.5"));
  EXPECT_EQ(Sequences({4, 3, 2}).padded_batch(2, {.drop_remainder = true}).cardinality(), 1);
}

// A batch has its own bytes: below a shuffle, which keeps batches for long, lines stay views into what was read.
TEST(Dataset, PaddedBatchesOutliveTheReader) {
  const TemporaryDirectory directory;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += std::to_string(1000 + i) + "\n";
  SetContents(directory / "lines", text);
  const auto batches = Dataset::TextLine({directory / "lines"}, {.buffer_bytes = 64}).padded_batch(7).shuffle(50);
  std::vector<Element> kept;
  for (const Element& batch : batches) kept.push_back(batch);
  std::vector<std::string> lines;
  for (const Element& batch : kept)
    for (int64_t i = 0; i < batch.x().dim(0); ++i) lines.emplace_back(Bytes(batch.x().Slice(i, i + 1)));
  std::sort(lines.begin(), lines.end());
  ASSERT_EQ(lines.size(), 1000u);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(lines[static_cast<size_t>(i)], std::to_string(1000 + i));
}

TEST(Dataset, PaddedBatchOfImages) {
  const auto images = Dataset::FromElements({Floats({1, 2, 3, 4}, {2, 2, 1}), Floats({5, 6, 7}, {1, 3, 1})});
  const auto batch = images.padded_batch(2, {.padding_values = {9}}).MakeIterator().Next();
  EXPECT_EQ(batch->x().shape(), (Shape{2, 2, 3, 1}));
  EXPECT_THAT(std::vector<float>(batch->x().data<float>(), batch->x().data<float>() + 12),
              ElementsAre(1, 2, 9, 3, 4, 9, 5, 6, 7, 9, 9, 9));
}

TEST(Dataset, Buckets) {
  const auto length = [](const Element& element) { return element.x().dim(0); };
  const auto lengths = [](const Dataset& dataset) {
    std::vector<Numbers> all;
    for (const Element& batch : dataset) {
      all.push_back({batch.x().dim(1)});
      const auto* values = batch.y().data<int64_t>();
      all.back().insert(all.back().end(), values, values + batch.y().size());
    }
    return all;
  };
  const auto sequences = Sequences({1, 5, 3, 2, 9, 4, 1});
  EXPECT_THAT(lengths(sequences.bucket_by_sequence_length(length, {3, 5}, {2, 2, 2})),
              ElementsAre(Numbers{2, 1, 2}, Numbers{9, 5, 9}, Numbers{4, 3, 4}, Numbers{1, 1}));
  EXPECT_THAT(
      lengths(sequences.bucket_by_sequence_length(length, {3, 10}, {4, 2, 1}, {.pad_to_bucket_boundary = true})),
      ElementsAre(Numbers{9, 5, 3}, Numbers{9, 9, 4}, Numbers{2, 1, 2, 1}));
  EXPECT_THAT(ErrorOf([&] {
                Collect(sequences.bucket_by_sequence_length(length, {3}, {1, 1}, {.pad_to_bucket_boundary = true}));
              }).second,
              HasSubstr("found an element of 3 or longer"));
  EXPECT_EQ(ErrorOf([&] { sequences.bucket_by_sequence_length(length, {3}, {1}); }).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(ErrorOf([&] {
              sequences.bucket_by_sequence_length(length, {3, 3}, {1, 1, 1});
            }).first,
            ErrorCode::kInvalidArgument);
}

TEST(Dataset, AssertCardinality) {
  const auto even = Dataset::Range(10).filter(IsEven);
  EXPECT_EQ(even.assert_cardinality(5).cardinality(), 5);
  EXPECT_EQ(Collect(even.assert_cardinality(5)), (Numbers{0, 2, 4, 6, 8}));
  EXPECT_THAT(ErrorOf([&] { Collect(even.assert_cardinality(6)); }).second, HasSubstr("found 5 elements, wanted 6"));
  EXPECT_THAT(ErrorOf([&] { Collect(even.assert_cardinality(4)); }).second, HasSubstr("found more elements, wanted 4"));
  EXPECT_THAT(Collect(Dataset::Range(3).apply([](const Dataset& dataset) { return dataset.skip(2); })), ElementsAre(2));
}

TEST(Dataset, ListFiles) {
  const TemporaryDirectory directory;
  for (const char* name : {"b.txt", "a.txt", "c.png"}) SetContents(directory.path() + "/" + name, name);
  std::vector<std::string> names;
  for (const Element& name : Dataset::ListFiles(directory.path() + "/*.txt", {.shuffle = false}))
    names.emplace_back(Bytes(name.x()));
  EXPECT_THAT(names, ElementsAre(directory.path() + "/a.txt", directory.path() + "/b.txt"));
  EXPECT_EQ(Dataset::ListFiles({directory.path() + "/*.txt", directory.path() + "/*.png"}).cardinality(), 3);
  EXPECT_EQ(Dataset::ListFiles({directory.path() + "/*.gif", directory.path() + "/*.png"}).cardinality(), 1);
  EXPECT_EQ(ErrorOf([&] { Dataset::ListFiles(directory.path() + "/*.gif"); }).first, ErrorCode::kNotFound);
  EXPECT_THAT(ErrorOf([&] {
                Dataset::ListFiles({directory / "*.gif", directory / "*.bmp"});
              }).second,
              testing::ContainsRegex("no file that matches one of \\[.*/\\*\\.gif, .*/\\*\\.bmp\\]"));
}

}  // namespace
}  // namespace headrace::data
