#include "serving/model/graph_outputs.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::serving {
namespace {

using ::testing::ElementsAre;

const Tensor kComputed =
    Tensor::FromVector(std::vector<float>{1, 5, 5, NAN, -INFINITY, NAN, 3e9f, -3e19f, 2.5f, 0, -1, 7}, {2, 3, 2});

template <typename T>
std::vector<T> Numbers(const Tensor& tensor) {
  return {tensor.data<T>(), tensor.data<T>() + tensor.size()};
}

TEST(GraphOutputs, FloatsAreAsTheyAre) {
  const TensorInfo info{"y", DType::kFloat32, {-1, 3, 2}};
  EXPECT_EQ(OutputOf({kComputed}, {0, std::nullopt}, info).raw(), kComputed.raw());
}

TEST(GraphOutputs, TheFirstOfTheLargest) {
  const Tensor last = OutputOf({kComputed}, {0, 2}, {"y", DType::kInt64, {-1, 3}});
  EXPECT_EQ(last.shape(), (Shape{2, 3}));
  EXPECT_THAT(Numbers<int64_t>(last), ElementsAre(1, 0, 0, 0, 0, 1));
  const Tensor middle = OutputOf({kComputed}, {0, 1}, {"y", DType::kInt32, {-1, 2, 1}});
  EXPECT_EQ(middle.shape(), (Shape{2, 2, 1}));
  EXPECT_THAT(Numbers<int32_t>(middle), ElementsAre(1, 0, 0, 2));
}

TEST(GraphOutputs, WholeNumbersStayInTheirRange) {
  const Tensor narrow = OutputOf({kComputed}, {0, std::nullopt}, {"y", DType::kInt32, {-1, 3, 2}});
  EXPECT_THAT(Numbers<int32_t>(narrow),
              ElementsAre(1, 5, 5, INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN, 2, 0, -1, 7));
  const Tensor wide = OutputOf({kComputed}, {0, std::nullopt}, {"y", DType::kInt64, {-1, 3, 2}});
  EXPECT_EQ(wide.data<int64_t>()[6], 3000000000);
  EXPECT_EQ(wide.data<int64_t>()[7], INT64_MIN);
}

TEST(GraphOutputs, AConstantRowForEachOfTheBatch) {
  const Tensor row = Tensor::FromVector(std::vector<int64_t>{4, 2}, {1, 2});
  const Tensor rows = OutputOf({kComputed}, {std::nullopt, std::nullopt, row}, {"y", DType::kInt64, {-1, 2}});
  EXPECT_EQ(rows.shape(), (Shape{2, 2}));
  EXPECT_THAT(Numbers<int64_t>(rows), ElementsAre(4, 2, 4, 2));
}

}  // namespace
}  // namespace headrace::serving
