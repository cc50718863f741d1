#include <gmock/gmock.h>

#include "headrace/data.h"

#include "data/dataset/collect.h"
#include "data/test_files.h"

namespace headrace::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Tensor Numbers64(const Numbers& numbers) { return Tensor::FromVector(numbers, {static_cast<int64_t>(numbers.size())}); }

TEST(Timeseries, WindowsAndTargets) {
  const Tensor data = Numbers64(Iota(10)), targets = Numbers64(Iota(10, 100));
  auto batches = TimeseriesDatasetFromArray(data, targets, 3, {.sequence_stride = 2, .batch_size = 3}).MakeIterator();
  const auto first = batches.Next();
  EXPECT_EQ(first->x().shape(), (Shape{3, 3}));
  EXPECT_THAT(Numbers(first->x().data<int64_t>(), first->x().data<int64_t>() + 9),
              ElementsAre(0, 1, 2, 2, 3, 4, 4, 5, 6));
  EXPECT_THAT(Numbers(first->y().data<int64_t>(), first->y().data<int64_t>() + 3), ElementsAre(100, 102, 104));
  EXPECT_EQ(batches.Next()->x().dim(0), 1);
  EXPECT_FALSE(batches.Next());
}

TEST(Timeseries, SamplingAndRange) {
  const Tensor data = Numbers64(Iota(10));
  const auto windows =
      TimeseriesDatasetFromArray(data, {}, 2, {.sampling_rate = 3, .batch_size = 0, .start_index = 2, .end_index = 8});
  EXPECT_THAT(Collect(windows), ElementsAre(2, 5, 3, 6, 4, 7));
  EXPECT_EQ(windows.MakeIterator().Next()->size(), 1u);
  auto shuffled = Collect(TimeseriesDatasetFromArray(data, {}, 1, {.shuffle = true, .seed = 3}));
  EXPECT_NE(shuffled, Iota(10));
  std::sort(shuffled.begin(), shuffled.end());
  EXPECT_EQ(shuffled, Iota(10));
}

TEST(Timeseries, SaysWhatDoesNotFit) {
  const Tensor data = Numbers64(Iota(10));
  const auto message = [&](int64_t length, TimeseriesOptions options) {
    return ErrorOf([&] { TimeseriesDatasetFromArray(data, {}, length, options); }).second;
  };
  EXPECT_THAT(message(0, {}), HasSubstr("sequence_length: found 0, wanted 1 to 10"));
  EXPECT_THAT(message(3, {.sequence_stride = 0}), HasSubstr("sequence_stride: found 0"));
  EXPECT_THAT(message(3, {.start_index = 10}), HasSubstr("start_index: found 10, wanted 0 to 9"));
  EXPECT_THAT(message(3, {.start_index = 4, .end_index = 4}), HasSubstr("end_index: found 4, wanted 5 to 10"));
  EXPECT_THAT(message(4, {.sampling_rate = 4}), HasSubstr("found 10 rows for windows of 13"));
  EXPECT_THAT(ErrorOf([] { TimeseriesDatasetFromArray(Tensor(), {}, 1); }).second,
              HasSubstr("data: found the shape ()"));
}

}  // namespace
}  // namespace headrace::data
