#include "tensor/winograd.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "tensor/conv_checks.h"

namespace headrace::tensor {
namespace {

using conv_testing::Buffer;
using conv_testing::Case;

// Stated in docs/numerics.md: largest error over largest result.
constexpr double kForwardBound = 5e-6;
constexpr double kWeightsBound = 5e-6;

struct Shape {
  int64_t n, h, w, c, f, top, bottom, left, right;
};

class WinogradTest : public ::testing::TestWithParam<Shape> {
 protected:
  Conv2DDesc Desc(DType dtype) const {
    const Shape& s = GetParam();
    Conv2DDesc d;
    d.n = s.n;
    d.h = s.h;
    d.w = s.w;
    d.c = s.c;
    d.f = s.f;
    d.kh = d.kw = 3;
    d.pad_top = s.top;
    d.pad_bottom = s.bottom;
    d.pad_left = s.left;
    d.pad_right = s.right;
    d.dtype = dtype;
    return d;
  }
  // Calls body(case, options) for every storage type, instruction set and cut into tiles and blocks.
  template <typename Body>
  void ForEach(const Body& body) const {
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
      Case data(Desc(dtype));
      for (const Isa isa : RunnableIsas()) {
        for (const WinogradOptions& options :
             {WinogradOptions{isa, true, 0}, WinogradOptions{isa, true, 3}, WinogradOptions{isa, false, 0}}) {
          SCOPED_TRACE(conv_testing::ToString(data.d) + " " + NameOf(isa) + (options.mixed ? " mixed" : "") +
                       " block " + std::to_string(options.block_tiles));
          body(data, options);
        }
      }
    }
  }
};

TEST_P(WinogradTest, Forward) {
  ForEach([](Case& data, const WinogradOptions& options) {
    const auto conv = MakeWinogradForward(data.d, options);
    ASSERT_NE(conv, nullptr);
    conv_testing::CheckForward(*conv, data, false, false, false, kForwardBound);
    conv_testing::CheckForward(*conv, data, true, true, true, kForwardBound);
  });
}

TEST_P(WinogradTest, SmallBatchForward) {
  ForEach([](Case& data, const WinogradOptions& options) {
    const auto conv = MakeWinogradSmallBatchForward(data.d, options.isa);
    ASSERT_NE(conv, nullptr);
    conv_testing::CheckForward(*conv, data, false, false, false, kForwardBound);
    conv_testing::CheckForward(*conv, data, true, true, false, kForwardBound);
  });
}

TEST_P(WinogradTest, BackwardData) {
  ForEach([](Case& data, const WinogradOptions& options) {
    const auto conv = MakeWinogradBackwardData(data.d, options);
    ASSERT_NE(conv, nullptr);
    conv_testing::CheckBackwardData(*conv, data, kForwardBound);
  });
}

TEST_P(WinogradTest, BackwardWeights) {
  ForEach([](Case& data, const WinogradOptions& options) {
    const auto conv = MakeWinogradBackwardWeights(data.d, options);
    ASSERT_NE(conv, nullptr);
    conv_testing::CheckBackwardWeights(*conv, data, false, false, kWeightsBound);
    conv_testing::CheckBackwardWeights(*conv, data, true, true, kWeightsBound);
  });
}

INSTANTIATE_TEST_SUITE_P(CifarNetwork, WinogradTest,
                         ::testing::Values(Shape{1, 32, 32, 32, 32, 0, 0, 0, 0}, Shape{2, 15, 15, 32, 64, 1, 1, 1, 1},
                                           Shape{2, 15, 15, 64, 64, 0, 0, 0, 0}, Shape{3, 6, 6, 64, 128, 1, 1, 1, 1},
                                           Shape{3, 6, 6, 128, 128, 0, 0, 0, 0}));
INSTANTIATE_TEST_SUITE_P(OddShapes, WinogradTest,
                         ::testing::Values(Shape{2, 7, 9, 3, 5, 1, 1, 1, 1}, Shape{1, 3, 3, 17, 33, 0, 0, 0, 0},
                                           Shape{2, 5, 4, 5, 17, 2, 2, 2, 2}, Shape{1, 11, 6, 33, 3, 0, 1, 2, 0},
                                           Shape{1, 4, 23, 16, 48, 2, 0, 0, 1}, Shape{2, 8, 8, 1, 1, 1, 1, 1, 1},
                                           Shape{1, 1, 1, 4, 20, 1, 1, 1, 1}, Shape{1, 6, 5, 3, 8, 4, 3, 3, 5}));

// Accumulators larger than the cache are cut by channels.
TEST(WinogradChunks, ManyChannels) {
  Conv2DDesc desc;
  desc.n = 2;
  desc.h = desc.w = 4;
  desc.c = 250;
  desc.f = 130;
  desc.kh = desc.kw = 3;
  desc.pad_top = desc.pad_bottom = desc.pad_left = desc.pad_right = 1;
  const auto conv = MakeWinogradBackwardWeights(desc);
  Case data(desc);
  conv_testing::CheckBackwardWeights(*conv, data, true, true, kWeightsBound);
}

// A mean a thousand times the deviation must not spoil the variance.
TEST(WinogradMoments, KeepTheirDigitsFarFromZero) {
  Conv2DDesc desc;
  desc.n = 4;
  desc.h = desc.w = 16;
  desc.c = desc.f = 16;
  desc.kh = desc.kw = 3;
  Case data(desc);
  data.bias.Set(3, 1000);
  const auto conv = MakeWinogradForward(desc);
  Buffer y(data.dy.size()), mean(desc.f), variance(desc.f);
  Buffer workspace(static_cast<int64_t>(conv->workspace_bytes()), DType::kUInt8);
  const ChannelMoments moments = {mean.floats(), variance.floats()};
  ConvForward::Args args;
  args.x = data.x.raw();
  args.kernel = data.kernel.floats();
  args.bias = data.bias.floats();
  args.y = y.raw();
  args.moments = &moments;
  args.workspace = workspace.raw();
  conv->Run(args);
  const std::vector<double> stored = y.Values();
  EXPECT_NEAR(mean.Get(3), conv_testing::MeansOf(stored, desc.f)[3], 1e-3);
  EXPECT_NEAR(variance.Get(3), conv_testing::VariancesOf(stored, desc.f)[3], 1e-4);
}

// A convolution whose kernel stays, with the activation behind it.
struct Fixed {
  explicit Fixed(int64_t n, int64_t size, int64_t c, int64_t f, PostActivation activation) {
    Conv2DDesc& d = desc.conv;
    d.n = n;
    d.h = d.w = size;
    d.c = c;
    d.f = f;
    d.kh = d.kw = 3;
    d.pad_top = d.pad_left = 1;
    desc.activation = activation;
  }
  std::vector<double> Run(const FixedConv& conv, Case& data) const {
    Buffer y(data.dy.size()), workspace(static_cast<int64_t>(conv.workspace_bytes()), DType::kUInt8);
    conv.Run(data.x.raw(), y.raw(), workspace.raw());
    EXPECT_TRUE(y.GuardIntact());
    EXPECT_TRUE(workspace.GuardIntact());
    return y.Values();
  }
  FixedConvDesc desc;
};

TEST(WinogradFixed, EqualsThePlainConvolution) {
  const auto reference = MakeReferenceBackend();
  for (const auto& [n, size, c, f] :
       {std::array<int64_t, 4>{1, 16, 32, 64}, {3, 15, 16, 40}, {9, 7, 20, 16}, {1, 5, 17, 33}, {2, 13, 64, 128}}) {
    for (const auto activation : {PostActivation::kNone, PostActivation::kRelu, PostActivation::kRelu6}) {
      const Fixed fixed(n, size, c, f, activation);
      Case data(fixed.desc.conv);
      data.bias.Set(0, 7);  // so that ReLU6 has something to cut
      PackedWeights packed;
      const auto want =
          fixed.Run(*reference->MakeFixedConv(fixed.desc, data.kernel.floats(), data.bias.floats(), packed), data);
      const double largest = *std::max_element(want.begin(), want.end());
      for (const Isa isa : RunnableIsas()) {
        const auto conv = MakeWinogradFixedConv(fixed.desc, data.kernel.floats(), data.bias.floats(), packed, isa);
        ASSERT_NE(conv, nullptr);
        const auto got = fixed.Run(*conv, data);
        for (size_t i = 0; i < want.size(); ++i)
          ASSERT_NEAR(got[i], want[i], kForwardBound * largest) << NameOf(isa) << " " << n << " " << size << " " << i;
      }
    }
  }
}

TEST(WinogradFixed, ARowIsTheSameInEveryBatch) {
  const Fixed many(24, 14, 32, 64, PostActivation::kRelu);
  Case data(many.desc.conv);
  PackedWeights packed;
  const auto all = many.Run(*MakeWinogradFixedConv(many.desc, data.kernel.floats(), nullptr, packed), data);
  FixedConvDesc one = many.desc;
  one.conv.n = 1;
  const auto conv = MakeWinogradFixedConv(one, data.kernel.floats(), nullptr, packed);
  Buffer y(static_cast<int64_t>(all.size()) / 24),
      workspace(static_cast<int64_t>(conv->workspace_bytes()), DType::kUInt8);
  conv->Run(data.x.raw(), y.raw(), workspace.raw());
  for (int64_t i = 0; i < y.size(); ++i) ASSERT_EQ(y.Get(i), all[static_cast<size_t>(i)]);
}

TEST(WinogradFixed, KeepsNaN) {
  const Fixed fixed(1, 8, 16, 16, PostActivation::kRelu6);
  Case data(fixed.desc.conv);
  data.x.Set(0, NAN);
  PackedWeights packed;
  const auto conv = MakeWinogradFixedConv(fixed.desc, data.kernel.floats(), nullptr, packed);
  EXPECT_TRUE(std::isnan(fixed.Run(*conv, data)[0]));
}

TEST(WinogradFixed, LeavesTheRestToOthers) {
  const auto refused = [](const Fixed& fixed) {
    const Conv2DDesc& d = fixed.desc.conv;
    const std::vector<float> kernel(static_cast<size_t>(9 * d.c * d.f));
    PackedWeights packed;
    return MakeWinogradFixedConv(fixed.desc, kernel.data(), nullptr, packed) == nullptr;
  };
  Fixed fixed(1, 8, 32, 32, PostActivation::kNone);
  EXPECT_FALSE(refused(fixed));
  fixed.desc.conv.stride_w = 2;
  EXPECT_TRUE(refused(fixed));
  fixed.desc.conv.stride_w = 1;
  fixed.desc.groups = 2;
  EXPECT_TRUE(refused(fixed));
  fixed.desc.groups = 1;
  fixed.desc.conv.dtype = DType::kBFloat16;
  EXPECT_TRUE(refused(fixed));
  EXPECT_TRUE(refused(Fixed(1, 8, 3, 32, PostActivation::kNone)));
  EXPECT_TRUE(refused(Fixed(1, 8, 512, 512, PostActivation::kNone)));  // its transformed kernel has 38 MiB
}

TEST(WinogradFactory, RefusesOtherConvolutions) {
  Conv2DDesc desc;
  desc.n = 1;
  desc.h = desc.w = 8;
  desc.c = desc.f = 4;
  desc.kh = desc.kw = 3;
  EXPECT_NE(MakeWinogradForward(desc), nullptr);
  EXPECT_NE(MakeWinogradSmallBatchForward(desc), nullptr);
  desc.n = 9;
  EXPECT_EQ(MakeWinogradSmallBatchForward(desc), nullptr);
  desc.n = 1;
  desc.stride_h = 2;
  EXPECT_EQ(MakeWinogradSmallBatchForward(desc), nullptr);
  EXPECT_EQ(MakeWinogradForward(desc), nullptr);
  desc.stride_h = 1;
  desc.dilation_w = 2;
  EXPECT_EQ(MakeWinogradBackwardData(desc), nullptr);
  desc.dilation_w = 1;
  desc.kw = 5;
  EXPECT_EQ(MakeWinogradBackwardWeights(desc), nullptr);
}

}  // namespace
}  // namespace headrace::tensor
