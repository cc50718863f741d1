#include "tensor/direct_conv.h"

#include <gtest/gtest.h>

#include "tensor/conv_checks.h"

namespace headrace::tensor {
namespace {

using conv_testing::Case;

constexpr double kBound = 2e-6;  // a plain sum in float32

struct Shape {
  int64_t n, h, w, c, kh, kw, f, stride_h, stride_w, top, bottom, left, right;
};

class DirectConvTest : public ::testing::TestWithParam<Shape> {
 protected:
  // Calls body(case, isa) for every storage type and instruction set.
  template <typename Body>
  void ForEach(const Body& body) const {
    const Shape& s = GetParam();
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
      Conv2DDesc d;
      d.n = s.n;
      d.h = s.h;
      d.w = s.w;
      d.c = s.c;
      d.kh = s.kh;
      d.kw = s.kw;
      d.f = s.f;
      d.stride_h = s.stride_h;
      d.stride_w = s.stride_w;
      d.pad_top = s.top;
      d.pad_bottom = s.bottom;
      d.pad_left = s.left;
      d.pad_right = s.right;
      d.dtype = dtype;
      Case data(d);
      for (const Isa isa : RunnableIsas()) {
        SCOPED_TRACE(conv_testing::ToString(d) + " " + NameOf(isa));
        body(data, isa);
      }
    }
  }
};

void CheckForward(Case& data, Isa isa) {
  const auto conv = MakeDirectForward(data.d, isa);
  ASSERT_NE(conv, nullptr);
  conv_testing::CheckForward(*conv, data, false, false, false, kBound);
  conv_testing::CheckForward(*conv, data, true, true, true, kBound);
}

TEST_P(DirectConvTest, Forward) { ForEach(CheckForward); }

TEST_P(DirectConvTest, BackwardWeights) {
  ForEach([](Case& data, Isa isa) {
    const auto conv = MakeDirectBackwardWeights(data.d, isa);
    ASSERT_NE(conv, nullptr);
    conv_testing::CheckBackwardWeights(*conv, data, false, false, kBound);
    conv_testing::CheckBackwardWeights(*conv, data, true, true, kBound);
  });
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, DirectConvTest,
    ::testing::Values(Shape{3, 32, 32, 3, 3, 3, 32, 1, 1, 1, 1, 1, 1}, Shape{1, 9, 40, 1, 3, 3, 17, 1, 1, 0, 0, 0, 0},
                      Shape{2, 11, 7, 4, 5, 3, 50, 2, 1, 2, 1, 0, 3}, Shape{1, 15, 14, 3, 7, 7, 64, 2, 2, 3, 3, 3, 3},
                      Shape{2, 6, 5, 2, 1, 1, 3, 1, 3, 0, 0, 0, 0}, Shape{1, 70, 33, 3, 3, 3, 5, 1, 1, 1, 1, 1, 1},
                      Shape{1, 2, 2, 3, 3, 3, 8, 1, 1, 4, 3, 3, 5}));

// Wide inputs, small batches: cut by rows and by filters, tiles of several output rows. Forward only.
class SmallBatchTest : public DirectConvTest {};

TEST_P(SmallBatchTest, Forward) { ForEach(CheckForward); }

INSTANTIATE_TEST_SUITE_P(
    Shapes, SmallBatchTest,
    ::testing::Values(Shape{1, 32, 32, 32, 3, 3, 32, 1, 1, 0, 0, 0, 0},
                      Shape{1, 15, 15, 32, 3, 3, 64, 1, 1, 1, 1, 1, 1}, Shape{2, 6, 6, 64, 3, 3, 128, 1, 1, 1, 1, 1, 1},
                      Shape{1, 6, 6, 65, 3, 3, 96, 1, 1, 0, 0, 0, 0}, Shape{8, 5, 9, 40, 2, 3, 70, 1, 2, 1, 1, 0, 2},
                      Shape{1, 9, 4, 33, 3, 3, 64, 2, 1, 0, 0, 0, 0}, Shape{3, 7, 3, 100, 1, 1, 40, 1, 1, 0, 0, 0, 0}));

TEST(DirectConvFactory, RefusesManyChannelsAndDilation) {
  Conv2DDesc desc;
  desc.n = 1;
  desc.h = desc.w = 8;
  desc.c = 3;
  desc.f = 4;
  desc.kh = desc.kw = 3;
  EXPECT_NE(MakeDirectForward(desc), nullptr);
  desc.dilation_h = 2;
  EXPECT_EQ(MakeDirectForward(desc), nullptr);
  desc.dilation_h = 1;
  desc.c = 32;
  EXPECT_EQ(MakeDirectBackwardWeights(desc), nullptr);
  EXPECT_NE(MakeDirectForward(desc), nullptr);
  desc.n = 9;
  EXPECT_EQ(MakeDirectForward(desc), nullptr);
}

}  // namespace
}  // namespace headrace::tensor
