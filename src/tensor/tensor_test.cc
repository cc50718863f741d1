#include "headrace/tensor.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "headrace/error.h"

namespace headrace {
namespace {

TEST(TensorTest, ShapePrintsAsKerasDoes) {
  EXPECT_EQ((Shape{-1, 32, 32, 3}).ToString(), "(None, 32, 32, 3)");
  EXPECT_EQ((Shape{5}).ToString(), "(5,)");
  EXPECT_EQ(Shape{}.ToString(), "()");
}

TEST(TensorTest, SliceSharesTheBytes) {
  Tensor tensor = Tensor::FromVector(std::vector<float>{1, 2, 3, 4, 5, 6}, {3, 2});
  Tensor rows = tensor.Slice(1, 3);
  EXPECT_EQ(rows.shape(), (Shape{2, 2}));
  rows.data<float>()[0] = 30;
  EXPECT_EQ(tensor.data<float>()[2], 30);
}

TEST(TensorTest, WrongTypeAndSizeAreRefused) {
  Tensor tensor = Tensor::Zeros(DType::kFloat32, {2, 2});
  EXPECT_THROW(tensor.data<int64_t>(), Error);
  EXPECT_THROW(tensor.Reshape({3}), Error);
  EXPECT_THROW(tensor.Slice(1, 3), Error);
  EXPECT_THROW((Shape{int64_t{1} << 40, int64_t{1} << 40}).size(), Error);
}

TEST(TensorTest, CastToWholeNumbersStaysInTheirRange) {
  const Tensor tensor = Tensor::FromVector(std::vector<float>{NAN, -1e30f, 1e30f, 300, -7.9f}, {5});
  const Tensor u8 = tensor.Cast(DType::kUInt8), i32 = tensor.Cast(DType::kInt32), i64 = tensor.Cast(DType::kInt64);
  EXPECT_EQ(std::vector<int>(u8.data<uint8_t>(), u8.data<uint8_t>() + 5), (std::vector<int>{0, 0, 255, 255, 0}));
  EXPECT_EQ(std::vector<int32_t>(i32.data<int32_t>(), i32.data<int32_t>() + 5),
            (std::vector<int32_t>{0, INT32_MIN, INT32_MAX, 300, -7}));
  EXPECT_EQ(i64.data<int64_t>()[2], INT64_MAX);
}

TEST(TensorTest, CastRoundsToNearestEven) {
  Tensor tensor = Tensor::FromVector(std::vector<float>{1.0f, 1.00390625f, 1.01171875f, -3.0e38f}, {4});
  Tensor back = tensor.Cast(DType::kBFloat16).Cast(DType::kFloat32);
  EXPECT_EQ(back.data<float>()[0], 1.0f);
  EXPECT_EQ(back.data<float>()[1], 1.0f);       // tie: to even
  EXPECT_EQ(back.data<float>()[2], 1.015625f);  // tie: to even, upwards
  EXPECT_EQ(tensor.Cast(DType::kInt64).data<int64_t>()[0], 1);
}

}  // namespace
}  // namespace headrace
