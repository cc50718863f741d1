// The checks that every convolution kernel must pass: results against plain loops, nothing written outside, the same
// bits twice. Included by the kernels' tests only.
#pragma once

#include <gtest/gtest.h>

#include "tensor/conv_testing.h"

namespace headrace::tensor::conv_testing {

// bfloat16 results are rounded to 8 bits: half a unit in the last place of the largest value.
inline double StorageError(DType dtype) { return dtype == DType::kBFloat16 ? 1.0 / 256 : 0; }

inline void CheckForward(const ConvForward& conv, Case& data, bool affine, bool with_bias, bool moments, double bound) {
  const Conv2DDesc& desc = data.d;
  Buffer workspace(static_cast<int64_t>(conv.workspace_bytes()), DType::kUInt8);
  Buffer y(data.dy.size(), desc.dtype), again(data.dy.size(), desc.dtype), mean(desc.f), variance(desc.f);
  const ChannelMoments wanted_moments = {mean.floats(), variance.floats()};
  ConvForward::Args args;
  args.x = data.x.raw();
  args.kernel = data.kernel.floats();
  args.bias = with_bias ? data.bias.floats() : nullptr;
  args.y = y.raw();
  args.input = affine ? &data.affine : nullptr;
  args.moments = moments ? &wanted_moments : nullptr;
  args.workspace = workspace.raw();
  conv.Run(args);
  const std::vector<double>& wanted = data.Forward(affine, with_bias);
  EXPECT_LE(MaxError(y.Values(), wanted), bound + StorageError(desc.dtype));
  if (moments) {
    EXPECT_LE(MaxError(mean.Values(), MeansOf(wanted, desc.f)), bound + 1e-6);
    EXPECT_LE(MaxError(variance.Values(), VariancesOf(wanted, desc.f)), 4 * bound + 1e-6);
  }
  args.y = again.raw();
  conv.Run(args);
  EXPECT_EQ(y.Bytes(), again.Bytes()) << "a second run gave other bits";
  EXPECT_TRUE(y.GuardIntact() && workspace.GuardIntact() && mean.GuardIntact() && variance.GuardIntact());
}

inline void CheckBackwardData(const ConvBackwardData& conv, Case& data, double bound) {
  const Conv2DDesc& desc = data.d;
  Buffer workspace(static_cast<int64_t>(conv.workspace_bytes()), DType::kUInt8);
  Buffer dx(data.x.size(), desc.dtype), again(data.x.size(), desc.dtype);
  ConvBackwardData::Args args;
  args.dy = data.dy.raw();
  args.kernel = data.kernel.floats();
  args.dx = dx.raw();
  args.workspace = workspace.raw();
  conv.Run(args);
  EXPECT_LE(MaxError(dx.Values(), data.BackwardData()), bound + StorageError(desc.dtype));
  args.dx = again.raw();
  conv.Run(args);
  EXPECT_EQ(dx.Bytes(), again.Bytes()) << "a second run gave other bits";
  EXPECT_TRUE(dx.GuardIntact() && workspace.GuardIntact());
}

inline void CheckBackwardWeights(const ConvBackwardWeights& conv, Case& data, bool affine, bool bias, double bound) {
  const Conv2DDesc& desc = data.d;
  Buffer workspace(static_cast<int64_t>(conv.workspace_bytes()), DType::kUInt8);
  Buffer dkernel(data.kernel.size()), again(data.kernel.size()), dbias(desc.f);
  ConvBackwardWeights::Args args;
  args.x = data.x.raw();
  args.input = affine ? &data.affine : nullptr;
  args.dy = data.dy.raw();
  args.dkernel = dkernel.floats();
  args.dbias = bias ? dbias.floats() : nullptr;
  args.workspace = workspace.raw();
  conv.Run(args);
  EXPECT_LE(MaxError(dkernel.Values(), data.BackwardWeights(affine)), bound);
  if (bias) {
    EXPECT_LE(MaxError(dbias.Values(), data.BiasGradient()), 2e-6);
  }
  args.dkernel = again.floats();
  conv.Run(args);
  EXPECT_EQ(dkernel.Bytes(), again.Bytes()) << "a second run gave other bits";
  EXPECT_TRUE(dkernel.GuardIntact() && workspace.GuardIntact() && dbias.GuardIntact());
}

}  // namespace headrace::tensor::conv_testing
