#include "keras/fit/batch_stream.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::keras::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

// Batches of one row whose x is their number.
data::Dataset Numbers(int64_t count) {
  std::vector<float> x(count);
  std::iota(x.begin(), x.end(), 0.0f);
  const Tensor rows = Tensor::FromVector(x, {count, 1});
  return data::Dataset::FromTensors(rows, rows).batch(1);
}

std::vector<int> Epoch(BatchStream& stream, int64_t epoch, int64_t step = 0) {
  std::vector<int> numbers;
  stream.StartEpoch(epoch, step);
  while (const auto batch = stream.Next()) numbers.push_back(static_cast<int>(batch->x().data<float>()[0]));
  return numbers;
}

template <typename Function>
std::string MessageOf(Function function) {
  try {
    function();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.message();
  }
  return "nothing thrown";
}

TEST(BatchStream, WithoutStepsEveryEpochIsAPass) {
  BatchStream stream("data", Numbers(3), 0);
  EXPECT_THAT(Epoch(stream, 0), ElementsAre(0, 1, 2));
  EXPECT_THAT(Epoch(stream, 1), ElementsAre(0, 1, 2));
  EXPECT_EQ(stream.steps(), 3);
  EXPECT_FALSE(stream.RanOut());
}

TEST(BatchStream, WithStepsAnEndlessDatasetGoesOn) {
  BatchStream stream("data", Numbers(3).repeat(), 2);
  EXPECT_EQ(stream.steps(), 2);
  EXPECT_THAT(Epoch(stream, 0), ElementsAre(0, 1));
  EXPECT_THAT(Epoch(stream, 1), ElementsAre(2, 0));
  EXPECT_THAT(Epoch(stream, 2), ElementsAre(1, 2));
}

TEST(BatchStream, WithStepsAFiniteDatasetStartsAgainBetweenEpochs) {
  BatchStream stream("data", Numbers(4), 2);
  EXPECT_THAT(Epoch(stream, 0), ElementsAre(0, 1));
  EXPECT_THAT(Epoch(stream, 1), ElementsAre(2, 3));
  EXPECT_FALSE(stream.RanOut());
  EXPECT_THAT(Epoch(stream, 2), ElementsAre(0, 1));
}

TEST(BatchStream, SaysWhenADatasetEndsWithinAnEpoch) {
  BatchStream stream("data", Numbers(3), 2);
  EXPECT_THAT(Epoch(stream, 0), ElementsAre(0, 1));
  EXPECT_THAT(Epoch(stream, 1), ElementsAre(2));
  EXPECT_TRUE(stream.RanOut());
}

TEST(BatchStream, AResumedRunSeesWhatAnUninterruptedOneWould) {
  const data::Dataset shuffled = Numbers(8).shuffle(8, {.seed = 3});
  const std::vector<std::pair<data::Dataset, int64_t>> cases = {
      {shuffled, 0}, {shuffled, 4}, {shuffled, 2}, {shuffled.repeat(), 3}, {Numbers(8).repeat().shuffle(5), 7}};
  for (const auto& [dataset, steps] : cases) {
    BatchStream whole("data", dataset, steps);
    std::vector<std::vector<int>> epochs;
    for (int64_t epoch = 0; epoch < 6; ++epoch) epochs.push_back(Epoch(whole, epoch));
    for (int64_t first = 1; first < 6; ++first) {
      BatchStream resumed("data", dataset, steps);
      for (int64_t epoch = first; epoch < 6; ++epoch) EXPECT_EQ(Epoch(resumed, epoch), epochs[epoch]) << steps;
      BatchStream within("data", dataset, steps);
      const std::vector<int> rest(epochs[first].begin() + 1, epochs[first].end());
      EXPECT_EQ(Epoch(within, first, 1), rest) << steps;
      if (first == 5) continue;
      EXPECT_EQ(Epoch(within, first + 1), epochs[first + 1]) << steps;
    }
    EXPECT_NE(epochs[0], epochs[4]);
  }
}

TEST(BatchStream, ARunBehindAnotherGoesOnInAnEndlessDataset) {
  const data::Dataset endless = Numbers(8).repeat().shuffle(5, {.seed = 3});
  BatchStream whole("data", endless, 3);
  std::vector<int> all;
  for (int64_t epoch = 0; epoch < 5; ++epoch)
    for (const int number : Epoch(whole, epoch)) all.push_back(number);
  BatchStream first("data", endless, 3);
  Epoch(first, 0);
  Epoch(first, 1);
  BatchStream second("data", endless, 4, 1, 1, first.seen());  // another number of steps does not move the place
  EXPECT_THAT(Epoch(second, 0), ElementsAreArray(all.begin() + 6, all.begin() + 10));
  BatchStream third("data", endless, 2, 1, 1, second.seen());
  EXPECT_THAT(Epoch(third, 0), ElementsAreArray(all.begin() + 10, all.begin() + 12));
  EXPECT_EQ(third.seen().epochs, 4);
}

TEST(BatchStream, ARunOnOtherDataBeginsAtItsFirstBatch) {
  BatchStream of_a("data", Numbers(8).repeat(), 3);
  Epoch(of_a, 0);
  BatchStream of_b("data", Numbers(7).repeat(), 3, 1, 1, of_a.seen());
  EXPECT_THAT(Epoch(of_b, 0), ElementsAre(0, 1, 2));
}

TEST(BatchStream, ARunOnFiniteDataBeginsAtItsFirstBatch) {
  const data::Dataset ten = Numbers(10);
  BatchStream first("data", ten, 3);
  for (int64_t epoch = 0; epoch < 3; ++epoch) Epoch(first, epoch);
  BatchStream second("data", ten, 3, 1, 1, first.seen());
  for (int64_t epoch = 0; epoch < 3; ++epoch)
    EXPECT_THAT(Epoch(second, epoch), ElementsAre(3 * epoch, 3 * epoch + 1, 3 * epoch + 2));
  EXPECT_FALSE(second.RanOut());
}

TEST(BatchStream, ARunBehindAnotherShufflesInAnotherOrder) {
  const data::Dataset shuffled = Numbers(8).shuffle(8, {.seed = 3});
  BatchStream whole("data", shuffled, 0);
  std::vector<std::vector<int>> epochs;
  for (int64_t epoch = 0; epoch < 4; ++epoch) epochs.push_back(Epoch(whole, epoch));
  for (int64_t before = 0; before < 4; ++before) {
    BatchStream next("data", shuffled, 0, 1, 1, {.epochs = before});
    EXPECT_EQ(Epoch(next, 0), epochs[static_cast<size_t>(before)]) << before;
    EXPECT_EQ(next.seen().epochs, before + 1);
  }
  BatchStream with_steps("data", shuffled, 8, 1, 1, {.epochs = 1});
  EXPECT_EQ(Epoch(with_steps, 0), epochs[1]);
}

TEST(BatchStream, AGeneratorIsNotPassedOverForARunBehindAnother) {
  const auto make = [] {
    return [number = 0.0f]() mutable -> std::optional<data::Element> {
      const Tensor row = Tensor::FromVector(std::vector<float>{number++}, {1, 1});
      return data::Element(row, row);
    };
  };
  BatchStream next("data", data::Dataset::FromGenerator(make), 2, 1, 1, {.epochs = 5});
  EXPECT_THAT(Epoch(next, 0), ElementsAre(0, 1));
  EXPECT_THAT(Epoch(next, 1), ElementsAre(2, 3));
}

TEST(BatchStream, RefusesWhatCannotBeWalked) {
  EXPECT_EQ(MessageOf([] { BatchStream("fit: the dataset", Numbers(3).repeat(), 0); }),
            "fit: the dataset is endless: found no number of steps, wanted one above 0");
  EXPECT_THAT(MessageOf([] { BatchStream("data", Numbers(3), -1); }), HasSubstr("found -1"));
  for (const int64_t steps : {0, 2}) {
    EXPECT_EQ(MessageOf([&] {
                BatchStream stream("fit: the dataset", Numbers(3).take(0), steps);
                Epoch(stream, 1);
              }),
              "fit: the dataset is empty: found 0 batches, wanted 1 or more");
  }
  EXPECT_EQ(MessageOf([] {
              BatchStream stream("data", data::Dataset::FromTensors(Tensor::Zeros(DType::kFloat32, {3, 1})), 0);
              Epoch(stream, 0);
            }),
            "data: batch 0: found 1 tensors, wanted 2: x and y, or a third one with the samples' weights");
}

}  // namespace
}  // namespace headrace::keras::internal
