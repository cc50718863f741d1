#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "headrace/data.h"

#include "data/dataset/collect.h"
#include "data/test_files.h"

namespace headrace::data {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAreArray;

Element Double(const Element& element) { return Tensor::Scalar(int64_t{2} * *element.x().data<int64_t>()); }

Element AddNoise(const Element& element, Random& random) {
  return Tensor::Scalar(*element.x().data<int64_t>() * 1000 + static_cast<int64_t>(random.Below(1000)));
}

TEST(Dataset, SlicesOfTensors) {
  const Tensor x = Floats({1.f, 2.f, 3.f, 4.f}, {2, 2});
  const Tensor y = Tensor::FromVector(Numbers{7, 8}, {2});
  auto iterator = Dataset::FromTensors(x, y).MakeIterator();
  iterator.Next();
  const auto second = iterator.Next();
  EXPECT_EQ(second->x().shape(), Shape{2});
  EXPECT_EQ(second->x().data<float>()[1], 4.f);
  EXPECT_EQ(*second->y().data<int64_t>(), 8);
  EXPECT_EQ(second->y().shape().rank(), 0u);
  EXPECT_FALSE(iterator.Next());
  EXPECT_FALSE(iterator.Next());
  EXPECT_EQ(iterator.position(), 2);
  EXPECT_EQ(ErrorOf([&] { Dataset::FromTensors(x, Floats({1.f}, {1})); }).first, ErrorCode::kInvalidArgument);
}

TEST(Dataset, TakeSkipShardRepeat) {
  EXPECT_EQ(Collect(Range(10).take(3)), Iota(3));
  EXPECT_EQ(Collect(Range(10).take(-1)), Iota(10));
  EXPECT_EQ(Collect(Range(10).skip(7)), Iota(3, 7));
  EXPECT_THAT(Collect(Range(10).skip(11)), IsEmpty());
  EXPECT_THAT(Collect(Range(10).skip(-1)), IsEmpty());
  EXPECT_THAT(Collect(Range(10).shard(4, 1)), ElementsAre(1, 5, 9));
  EXPECT_THAT(Collect(Range(2).repeat(3)), ElementsAre(0, 1, 0, 1, 0, 1));
  EXPECT_THAT(Collect(Range(2).repeat(0)), IsEmpty());
  EXPECT_THAT(Collect(Range(2).repeat(), 5), ElementsAre(0, 1, 0, 1, 0));
  EXPECT_THAT(Collect(Range(0).repeat()), IsEmpty());
  EXPECT_THAT(Collect(Range(5).skip(5).repeat()), IsEmpty());
}

TEST(Dataset, Cardinality) {
  EXPECT_EQ(Range(10).batch(4).cardinality(), 3);
  EXPECT_EQ(Range(10).batch(4, {.drop_remainder = true}).cardinality(), 2);
  EXPECT_EQ(Range(10).shard(4, 2).cardinality(), 2);
  EXPECT_EQ(Range(10).repeat().cardinality(), kInfinite);
  EXPECT_EQ(Range(10).repeat().take(7).cardinality(), 7);
  EXPECT_EQ(Range(10).repeat(3).skip(4).shuffle(5).map(Double).prefetch(2).cardinality(), 26);
  EXPECT_EQ(Dataset::TFRecord({"x"}).cardinality(), kUnknown);
}

TEST(Dataset, MapKeepsTheOrder) {
  Numbers wanted;
  for (int64_t i = 0; i < 1000; ++i) wanted.push_back(2 * i);
  for (const int calls : {1, 2, 10}) {
    EXPECT_EQ(Collect(Range(1000).map(Double, {.num_parallel_calls = calls})), wanted);
    // The slowest comes first.
    const auto slow = Range(40).map(
        [](Element element) {
          std::this_thread::sleep_for(std::chrono::microseconds(2000 / (1 + *element.x().data<int64_t>())));
          return element;
        },
        {.num_parallel_calls = calls});
    EXPECT_EQ(Collect(slow), Iota(40));
  }
}

TEST(Dataset, RandomNumbersDoNotDependOnThreads) {
  const auto noisy = [](int calls, uint64_t seed) {
    return Range(500).map(AddNoise, {.num_parallel_calls = calls, .seed = seed});
  };
  const Numbers serial = Collect(noisy(1, 5));
  for (int run = 0; run < 5; ++run) EXPECT_EQ(Collect(noisy(8, 5)), serial);
  EXPECT_NE(Collect(noisy(8, 6)), serial);
  EXPECT_NE(Collect(noisy(8, 5).MakeIterator(1)), serial);
  std::set<int64_t> offsets;
  for (const int64_t number : serial) offsets.insert(number % 1000);
  EXPECT_GT(offsets.size(), 300u);
}

TEST(Dataset, ShuffleIsAPermutationWithinItsBuffer) {
  const Numbers order = Collect(Range(1000).shuffle(50, {.seed = 3}));
  EXPECT_THAT(order, UnorderedElementsAreArray(Iota(1000)));
  EXPECT_NE(order, Iota(1000));
  for (int64_t i = 0; i < 1000; ++i) EXPECT_LE(order[static_cast<size_t>(i)], i + 49);
  EXPECT_EQ(Collect(Range(1000).shuffle(50, {.seed = 3})), order);
  EXPECT_NE(Collect(Range(1000).shuffle(50, {.seed = 4})), order);
  EXPECT_EQ(Collect(Range(10).shuffle(1)), Iota(10));
  EXPECT_THAT(Collect(Range(0).shuffle(5)), IsEmpty());
}

TEST(Dataset, ShuffleIsUniform) {
  // Where element 0 of ten goes, over many seeds, when the buffer holds all.
  std::vector<int> places(10);
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    const Numbers order = Collect(Range(10).shuffle(10, {.seed = seed}));
    ++places[static_cast<size_t>(std::find(order.begin(), order.end(), 0) - order.begin())];
  }
  for (const int count : places) EXPECT_NEAR(count, 500, 100);
}

TEST(Dataset, ShuffleBeforeAndAfterRepeat) {
  const Numbers apart = Collect(Range(20).shuffle(100, {.seed = 1}).repeat(2));
  const Numbers first(apart.begin(), apart.begin() + 20), second(apart.begin() + 20, apart.end());
  EXPECT_THAT(first, UnorderedElementsAreArray(Iota(20)));
  EXPECT_THAT(second, UnorderedElementsAreArray(Iota(20)));
  EXPECT_NE(first, second);
  const Numbers same = Collect(Range(20).shuffle(100, {.seed = 1, .reshuffle_each_iteration = false}).repeat(2));
  EXPECT_EQ(Numbers(same.begin(), same.begin() + 20), Numbers(same.begin() + 20, same.end()));
  const Numbers blended = Collect(Range(20).repeat(2).shuffle(100, {.seed = 1}));
  EXPECT_THAT(blended, SizeIs(40));
  EXPECT_FALSE(std::is_permutation(blended.begin(), blended.begin() + 20, first.begin()));
}

TEST(Dataset, PassesOfRepeatAreEpochs) {
  const auto once = Range(20).shuffle(10, {.seed = 1}).map(AddNoise, {.seed = 2});
  Numbers epochs = Collect(once.MakeIterator(0));
  for (const int64_t number : Collect(once.MakeIterator(1))) epochs.push_back(number);
  EXPECT_EQ(Collect(once.repeat(2)), epochs);
}

TEST(Dataset, BatchStacks) {
  auto iterator = Range(7).batch(3).MakeIterator();
  EXPECT_EQ(iterator.Next()->x().shape(), Shape{3});
  iterator.Next();
  EXPECT_EQ(iterator.Next()->x().shape(), Shape{1});
  EXPECT_EQ(Collect(Range(7).batch(3)), Iota(7));
  EXPECT_EQ(Collect(Range(7).batch(3, {.drop_remainder = true})), Iota(6));
  auto nested = Range(12).batch(2).batch(3).MakeIterator();
  EXPECT_EQ(nested.Next()->x().shape(), (Shape{3, 2}));
}

TEST(Dataset, BatchesKeepTheirBytesWhileHeld) {
  auto iterator = Range(1000).batch(10).MakeIterator();
  std::vector<Element> held;
  while (auto batch = iterator.Next()) held.push_back(std::move(*batch));
  for (size_t i = 0; i < held.size(); ++i) EXPECT_EQ(*held[i].x().data<int64_t>(), static_cast<int64_t>(10 * i));
}

TEST(Dataset, BatchReusesMemory) {
  auto iterator = Range(1000).batch(10).MakeIterator();
  std::set<const void*> addresses;
  while (const auto batch = iterator.Next()) addresses.insert(batch->x().raw());
  EXPECT_LE(addresses.size(), 2u);
}

TEST(Dataset, BatchRefusesDifferentShapes) {
  auto iterator = Range(4)
                      .map([](Element element) -> Element {
                        return Tensor::Zeros(DType::kFloat32, {*element.x().data<int64_t>() < 2 ? 1 : 2});
                      })
                      .batch(4)
                      .MakeIterator();
  EXPECT_EQ(ErrorOf([&] { iterator.Next(); }).second,
            "batch: component 0 of element 2 of the batch: found float32 (2,), wanted float32 (1,) like the first");
}

TEST(Dataset, PrefetchChangesNothing) {
  for (const int64_t size : {1, 2, 10, 1000}) EXPECT_EQ(Collect(Range(500).prefetch(size)), Iota(500));
  EXPECT_EQ(Collect(Range(500).prefetch(10).map(Double).prefetch(3)), Collect(Range(500).map(Double)));
}

TEST(Dataset, InterleaveTakesTurns) {
  // The example of tf.data's documentation.
  const auto repeated =
      Range(5, 1).interleave([](Element element) { return Dataset::FromTensors(element.x().Reshape({1})).repeat(6); },
                             {.cycle_length = 2, .block_length = 4});
  EXPECT_THAT(Collect(repeated),
              ElementsAre(1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 3, 3, 4, 4, 5, 5, 5, 5, 5, 5));
  const auto empty = Range(5).interleave([](const Element&) { return Range(0); });
  EXPECT_THAT(Collect(empty), IsEmpty());
  EXPECT_THAT(Collect(Range(0).interleave([](const Element&) { return Range(3); })), IsEmpty());
}

TEST(Dataset, Generator) {
  const auto dataset = Dataset::FromGenerator([] {
    return [i = int64_t{0}]() mutable -> std::optional<Element> {
      if (i == 3) return std::nullopt;
      return Element(Tensor::Scalar(i++));
    };
  });
  EXPECT_THAT(Collect(dataset.repeat(2)), ElementsAre(0, 1, 2, 0, 1, 2));
}

TEST(Dataset, FilesOneAfterTheOther) {
  const TemporaryDirectory dir;
  for (const char* name : {"a", "b", "c"}) {
    TFRecordWriter writer(dir / name);
    for (int i = 0; i < 3; ++i)
      if (name[0] != 'b') writer.Write(name + std::to_string(i));
    writer.Close();
  }
  const auto texts = [](const Dataset& dataset) {
    std::vector<std::string> found;
    for (auto iterator = dataset.MakeIterator(); auto element = iterator.Next();)
      found.emplace_back(Bytes(element->x()));
    return found;
  };
  const auto all = Dataset::TFRecord({dir / "a", dir / "b", dir / "c"});
  EXPECT_THAT(texts(all), ElementsAre("a0", "a1", "a2", "c0", "c1", "c2"));
  EXPECT_THAT(texts(all.skip(4)), ElementsAre("c1", "c2"));
  EXPECT_THAT(texts(all.shuffle(100)), SizeIs(6));
  const auto crossed = Dataset::FromStrings({dir / "a", dir / "c"}).interleave([](const Element& name) {
    return Dataset::TFRecord({std::string(Bytes(name.x()))});
  });
  EXPECT_THAT(texts(crossed), ElementsAre("a0", "c0", "a1", "c1", "a2", "c2"));
  SetContents(dir / "text", "one\r\n\ntwo");
  EXPECT_THAT(texts(Dataset::TextLine({dir / "text"})), ElementsAre("one", "", "two"));
  EXPECT_THAT(ErrorOf([&] {
                texts(Dataset::TFRecord({dir / "a", dir / "none"}));
              }).second,
              HasSubstr("none: cannot open"));
}

TEST(Dataset, RecordsAreViewsThatStayValid) {
  const TemporaryDirectory dir;
  TFRecordWriter writer(dir / "f");
  for (int i = 0; i < 2000; ++i) writer.Write(std::string(100, static_cast<char>(i)));
  writer.Close();
  auto iterator = Dataset::TFRecord({dir / "f"}, {.buffer_bytes = 1000}).MakeIterator();
  std::vector<Element> held;
  while (auto element = iterator.Next()) held.push_back(std::move(*element));
  ASSERT_EQ(held.size(), 2000u);
  for (size_t i = 0; i < held.size(); ++i) ASSERT_EQ(Bytes(held[i].x()), std::string(100, static_cast<char>(i)));
}

// --- Errors ----------------------------------------------------------------------------------------------------

Element FailAt700(Element element) {
  if (*element.x().data<int64_t>() == 700) throw Error(ErrorCode::kDataLoss, "bad 700");
  return element;
}

TEST(Dataset, AnErrorComesAtItsPlaceAndStays) {
  for (const int calls : {1, 8})
    for (const bool prefetched : {false, true}) {
      auto dataset = Range(1000).map(FailAt700, {.num_parallel_calls = calls}).map(Double);
      if (prefetched) dataset = dataset.prefetch(10);
      auto iterator = dataset.MakeIterator();
      for (int64_t i = 0; i < 700; ++i) ASSERT_EQ(*iterator.Next()->x().data<int64_t>(), 2 * i);
      for (int again = 0; again < 2; ++again)
        EXPECT_EQ(ErrorOf([&] { iterator.Next(); }).second, "bad 700") << calls << prefetched;
    }
}

TEST(Dataset, ForeignExceptionsPassThrough) {
  auto iterator = Range(10)
                      .map([](Element) -> Element { throw std::runtime_error("mine"); }, {.num_parallel_calls = 4})
                      .shuffle(5)
                      .batch(2)
                      .prefetch(2)
                      .MakeIterator();
  EXPECT_THROW(iterator.Next(), std::runtime_error);
}

TEST(Dataset, MisuseIsRefusedAtOnce) {
  EXPECT_EQ(ErrorOf([] { Range(3).batch(0); }).second, "batch: batch_size: found 0, wanted at least 1");
  EXPECT_EQ(ErrorOf([] { Range(3).shuffle(0); }).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(ErrorOf([] { Range(3).shard(3, 3); }).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(ErrorOf([] { Range(3).map(Double, {.num_parallel_calls = 0}); }).first, ErrorCode::kInvalidArgument);
  auto scalars = Range(3).MakeIterator();
  EXPECT_EQ(ErrorOf([&] { (void)scalars.Next()->y(); }).second, "element: found 1 components, wanted at least 2");
}

// --- Stopping --------------------------------------------------------------------------------------------------

TEST(Dataset, IteratorsStopAtAnyTime) {
  const auto endless =
      Range(100).repeat().prefetch(10).map(AddNoise, {.num_parallel_calls = 10}).shuffle(50).batch(8).prefetch(2);
  for (int taken = 0; taken < 40; ++taken) {
    auto iterator = endless.MakeIterator();
    for (int i = 0; i < taken; ++i) ASSERT_TRUE(iterator.Next());
  }
}

TEST(Dataset, StopsWhileItsThreadsWaitForAFifo) {
  const TemporaryDirectory dir;
  ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
  // The first element is there; then the threads wait for a pipe that nobody writes to.
  TFRecordWriter writer(dir / "one");
  writer.Write("x");
  writer.Close();
  auto iterator = Dataset::TFRecord({dir / "one", dir / "pipe"})
                      .prefetch(4)
                      .map([](Element element) { return element; }, {.num_parallel_calls = 2})
                      .prefetch(1)
                      .MakeIterator();
  EXPECT_EQ(Bytes(iterator.Next()->x()), "x");
}

// --- Resuming --------------------------------------------------------------------------------------------------

struct Chain {
  const char* name;
  Dataset dataset;
};

// The number once or twice, as rows.
Element TwoRowsAtTimes(const Element& element, Random& random) {
  const auto rows = 1 + static_cast<int64_t>(random.Below(2));
  return Tensor::FromVector(Numbers(static_cast<size_t>(rows), *element.x().data<int64_t>()), {rows});
}

// Data sets each of whose runs has another number of elements.
Dataset SampledUntilOneEnds() {
  return Dataset::SampleFromDatasets({Range(10), Range(10, 100)}, {}, {.seed = 5, .stop_on_empty_dataset = true});
}
Dataset ChosenUntilOneEnds() {
  const auto choices = Dataset::FromElements({Tensor::Scalar(int64_t{0}), Tensor::Scalar(int64_t{1})})
                           .repeat(10)
                           .shuffle(20, {.seed = 6});
  return Dataset::ChooseFromDatasets({Range(6), Range(6, 100)}, choices);
}

std::vector<Chain> Chains() {
  const auto source = Range(50);
  const MapOptions parallel{.num_parallel_calls = 4, .seed = 9};
  return {
      {"source", source},
      {"repeat", source.repeat(7)},
      {"endless", source.repeat()},
      {"map", source.map(AddNoise, {.seed = 9}).repeat(5)},
      {"parallel map", source.repeat(6).map(AddNoise, parallel)},
      {"shuffle then repeat", source.shuffle(20, {.seed = 1}).repeat()},
      {"repeat then shuffle", source.repeat().shuffle(120, {.seed = 1})},
      {"finite shuffle", source.repeat(4).map(AddNoise, parallel).shuffle(30, {.seed = 1})},
      {"two shuffles", source.shuffle(10).repeat(5).shuffle(40, {.seed = 2})},
      {"shard", source.repeat().shard(3, 2).batch(4)},
      {"take and skip", source.repeat().skip(13).take(170)},
      {"interleave", source.interleave([](const Element&) { return Range(9).shuffle(4); }).shuffle(10)},
      {"sampled until one ends", SampledUntilOneEnds().repeat()},
      {"chosen until one ends", ChosenUntilOneEnds().repeat()},
      {"rows of random numbers", source.map(TwoRowsAtTimes, {.seed = 7}).unbatch().repeat()},
      {"training", source.repeat()
                       .prefetch(10)
                       .map(AddNoise, parallel)
                       .shuffle(60, {.seed = 3})
                       .batch(8, {.drop_remainder = true})
                       .prefetch(2)},
      {"epoch", source.shuffle(60, {.seed = 3}).map(AddNoise, parallel).batch(8).prefetch(2)},
  };
}

TEST(Dataset, SkippingGivesTheSameStreamAsReading) {
  for (const auto& [name, dataset] : Chains()) {
    for (const int64_t skipped : {0, 1, 2, 7, 24, 49, 50, 51, 130, 199, 1000}) {
      auto read = dataset.MakeIterator();
      int64_t there = 0;
      while (there < skipped && read.Next()) ++there;
      auto jumped = dataset.MakeIterator();
      ASSERT_EQ(jumped.Skip(skipped), there) << name << ", skip " << skipped;
      EXPECT_EQ(jumped.position(), there);
      EXPECT_EQ(Collect(std::move(jumped), 300), Collect(std::move(read), 300)) << name << ", skip " << skipped;
    }
  }
}

TEST(Dataset, SkippingInTheMiddle) {
  for (const auto& [name, dataset] : Chains()) {
    auto read = dataset.MakeIterator(), jumped = dataset.MakeIterator();
    for (int i = 0; i < 3; ++i) read.Next(), jumped.Next();
    int64_t there = 0;
    while (there < 11 && read.Next()) ++there;
    EXPECT_EQ(jumped.Skip(11), there) << name;
    EXPECT_EQ(Collect(std::move(jumped), 300), Collect(std::move(read), 300)) << name;
  }
}

TEST(Dataset, SkippedElementsAreNotComputed) {
  std::atomic<int64_t> calls = 0;
  auto iterator = Range(100)
                      .repeat()
                      .map(
                          [&](Element element) {
                            ++calls;
                            return element;
                          },
                          {.num_parallel_calls = 2})
                      .batch(10)
                      .MakeIterator();
  EXPECT_EQ(iterator.Skip(1'000'000'000), 1'000'000'000);
  EXPECT_EQ(calls, 0);
  EXPECT_THAT(*iterator.Next()->x().data<int64_t>(), 0);
}

}  // namespace
}  // namespace headrace::data
