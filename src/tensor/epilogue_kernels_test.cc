// The fused epilogue of every instruction set against the reference back end.
#include <cmath>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "tensor/backend.h"
#include "tensor/cpu.h"
#include "tensor/kernel_testing.h"
#include "tensor/vector_kernels.h"

namespace headrace::tensor {
namespace {

using testing::ExpectClose;
using testing::ExpectSameBits;
using testing::RandomTensor;
using testing::ToleranceOf;

constexpr DType kF32 = DType::kFloat32;

// One epilogue with everything that its three kernels read.
struct Problem {
  EpilogueDesc desc;
  DropoutDraw dropout;
  Tensor x, dy, scale, shift, mean, rstd;

  Problem(const EpilogueDesc& d, float rate) : desc(d), dropout{rate, 0xC0FFEEu} {
    const Shape channels{desc.c};
    x = RandomTensor(desc.dtype, {desc.n, desc.h, desc.w, desc.c}, 1);
    dy = RandomTensor(desc.dtype, {desc.n, desc.out_h(), desc.out_w(), desc.c}, 2);
    scale = RandomTensor(kF32, channels, 3);
    shift = RandomTensor(kF32, channels, 4);
    mean = RandomTensor(kF32, channels, 5);
    rstd = RandomTensor(kF32, channels, 6, 1.0f, 0.1f);
  }
};

struct Answer {
  Tensor y, dgamma, dbeta, dx;
};

// Kernels: a Backend or VectorKernels. dx uses the sums in `sums` if given, so that their rounding stays out of it.
template <typename Kernels>
Answer Solve(const Kernels& kernels, const Problem& p, const Answer* sums = nullptr) {
  Answer a{Tensor(p.desc.dtype, p.dy.shape()), Tensor::Zeros(kF32, {p.desc.c}), Tensor::Zeros(kF32, {p.desc.c}),
           Tensor(p.desc.dtype, p.x.shape())};
  kernels.EpilogueForward(p.desc, {.x = p.x.raw(),
                                   .scale = p.scale.data<float>(),
                                   .shift = p.shift.data<float>(),
                                   .dropout = p.dropout,
                                   .y = a.y.raw()});
  EpilogueBackwardArgs args{.x = p.x.raw(),
                            .dy = p.dy.raw(),
                            .scale = p.scale.data<float>(),
                            .shift = p.shift.data<float>(),
                            .mean = p.mean.data<float>(),
                            .rstd = p.rstd.data<float>(),
                            .dropout = p.dropout,
                            .dgamma = a.dgamma.data<float>(),
                            .dbeta = a.dbeta.data<float>(),
                            .dx = a.dx.raw()};
  kernels.EpilogueBackwardSums(p.desc, args);
  Tensor dgamma = sums != nullptr ? sums->dgamma : a.dgamma;
  Tensor dbeta = sums != nullptr ? sums->dbeta : a.dbeta;
  args.dgamma = dgamma.data<float>();
  args.dbeta = dbeta.data<float>();
  kernels.EpilogueBackward(p.desc, args);
  return a;
}

void ExpectSameAnswer(const VectorKernels& kernels, const EpilogueDesc& desc, float rate) {
  SCOPED_TRACE(::testing::Message() << NameOf(kernels.isa()) << " " << NameOf(desc.dtype) << " [" << desc.n << ", "
                                    << desc.h << ", " << desc.w << ", " << desc.c << "] norm " << desc.batch_norm
                                    << " relu " << desc.relu << " pool " << desc.pool_h << "x" << desc.pool_w
                                    << " dropout " << rate);
  const Problem problem(desc, rate);
  const Answer wanted = Solve(*MakeReferenceBackend(), problem);
  const Answer found = Solve(kernels, problem, &wanted);
  ExpectClose(found.y, wanted.y, ToleranceOf(desc.dtype), "y");
  const double sums = 1e-6 * std::sqrt(static_cast<double>(desc.n * desc.h * desc.w));
  ExpectClose(found.dgamma, wanted.dgamma, {2e-6, 4 * sums}, "dgamma");
  ExpectClose(found.dbeta, wanted.dbeta, {2e-6, sums}, "dbeta");
  ExpectClose(found.dx, wanted.dx, ToleranceOf(desc.dtype, 4e-6, 4e-6), "dx");
}

class EpilogueKernelsTest : public ::testing::TestWithParam<std::tuple<Isa, DType>> {
 protected:
  VectorKernels kernels_{std::get<0>(GetParam())};
  DType dtype_ = std::get<1>(GetParam());
};

TEST_P(EpilogueKernelsTest, EveryFusionAgreesWithTheReference) {
  for (const auto& [pool_h, pool_w] : {std::pair{1, 1}, {2, 2}, {3, 2}}) {
    for (int parts = 0; parts < 8; ++parts) {
      for (int64_t c : {3, 32}) {
        EpilogueDesc desc{.n = 2,
                          .h = 5,
                          .w = 7,
                          .c = c,
                          .batch_norm = (parts & 1) != 0,
                          .relu = (parts & 2) != 0,
                          .pool_h = pool_h,
                          .pool_w = pool_w,
                          .dtype = dtype_};
        ExpectSameAnswer(kernels_, desc, (parts & 4) != 0 ? 0.3f : 0.0f);
      }
    }
  }
}

TEST_P(EpilogueKernelsTest, EveryTailAgreesWithTheReference) {
  for (int64_t pool : {1, 2}) {
    for (int64_t c : {1, 2, 5, 8, 15, 16, 17, 33, 64, 100}) {
      EpilogueDesc desc{.n = 3,
                        .h = 4,
                        .w = 5,
                        .c = c,
                        .batch_norm = true,
                        .relu = true,
                        .pool_h = pool,
                        .pool_w = pool,
                        .dtype = dtype_};
      ExpectSameAnswer(kernels_, desc, 0.2f);
    }
  }
}

TEST_P(EpilogueKernelsTest, EveryPlaneAgreesWithTheReference) {
  for (int64_t pool : {1, 2}) {
    for (const auto& [n, h, w] : {std::tuple{1, 2, 2}, {300, 1, 1}, {5, 13, 13}, {1, 31, 2}, {2, 3, 70}, {7, 4, 4}}) {
      if (h < pool || w < pool) continue;
      EpilogueDesc desc{.n = n,
                        .h = h,
                        .w = w,
                        .c = 17,
                        .batch_norm = true,
                        .relu = true,
                        .pool_h = pool,
                        .pool_w = pool,
                        .dtype = dtype_};
      ExpectSameAnswer(kernels_, desc, 0.5f);
    }
  }
}

TEST_P(EpilogueKernelsTest, FirstOfEqualMaximaGetsTheGradient) {
  const EpilogueDesc desc{.n = 1, .h = 2, .w = 2, .c = 1, .pool_h = 2, .pool_w = 2, .dtype = dtype_};
  const Tensor x = Tensor::FromVector(std::vector<float>{1, 3, 3, 3}, {4}).Cast(dtype_);
  const Tensor dy = Tensor::FromVector(std::vector<float>{5}, {1}).Cast(dtype_);
  Tensor dx(dtype_, {4});
  kernels_.EpilogueBackward(desc, {.x = x.raw(), .dy = dy.raw(), .dx = dx.raw()});
  ExpectSameBits(dx, Tensor::FromVector(std::vector<float>{0, 5, 0, 0}, {4}).Cast(dtype_), "dx");
}

TEST_P(EpilogueKernelsTest, WorksInPlaceWhenNothingIsPooled) {
  const EpilogueDesc desc{.n = 2, .h = 3, .w = 5, .c = 19, .batch_norm = true, .relu = true, .dtype = dtype_};
  const Problem p(desc, 0.25f);
  const Answer apart = Solve(kernels_, p);
  Tensor y = p.x.Clone(), dx = p.dy.Clone(), dgamma = apart.dgamma.Clone(), dbeta = apart.dbeta.Clone();
  kernels_.EpilogueForward(desc, {.x = y.raw(),
                                  .scale = p.scale.data<float>(),
                                  .shift = p.shift.data<float>(),
                                  .dropout = p.dropout,
                                  .y = y.raw()});
  kernels_.EpilogueBackward(desc, {.x = p.x.raw(),
                                   .dy = dx.raw(),
                                   .scale = p.scale.data<float>(),
                                   .shift = p.shift.data<float>(),
                                   .mean = p.mean.data<float>(),
                                   .rstd = p.rstd.data<float>(),
                                   .dropout = p.dropout,
                                   .dgamma = dgamma.data<float>(),
                                   .dbeta = dbeta.data<float>(),
                                   .dx = dx.raw()});
  ExpectSameBits(y, apart.y, "y");
  ExpectSameBits(dx, apart.dx, "dx");
}

TEST_P(EpilogueKernelsTest, SameBitsEveryTime) {
  const EpilogueDesc desc{
      .n = 9, .h = 13, .w = 13, .c = 64, .batch_norm = true, .relu = true, .pool_h = 2, .pool_w = 2, .dtype = dtype_};
  const Problem p(desc, 0.2f);
  const Answer first = Solve(kernels_, p);
  for (int run = 0; run < 3; ++run) {
    const Answer again = Solve(kernels_, p);
    ExpectSameBits(again.y, first.y, "y");
    ExpectSameBits(again.dgamma, first.dgamma, "dgamma");
    ExpectSameBits(again.dbeta, first.dbeta, "dbeta");
    ExpectSameBits(again.dx, first.dx, "dx");
  }
}

TEST_P(EpilogueKernelsTest, DropoutKeepsItsShareAndTheMeanAndBackwardDrawsTheSameMask) {
  const EpilogueDesc desc{.n = 1000, .h = 1, .w = 1, .c = 100, .dtype = dtype_};
  const int64_t count = desc.n * desc.c;
  const Tensor ones = Tensor::FromVector(std::vector<float>(count, 1.0f), {count}).Cast(dtype_);
  for (float rate : {0.1f, 0.5f, 0.8f}) {
    Tensor y(dtype_, {count}), dx(dtype_, {count});
    const DropoutDraw draw{rate, 77};
    kernels_.EpilogueForward(desc, {.x = ones.raw(), .dropout = draw, .y = y.raw()});
    kernels_.EpilogueBackward(desc, {.x = ones.raw(), .dy = ones.raw(), .dropout = draw, .dx = dx.raw()});
    ExpectSameBits(dx, y, "the mask");
    double kept = 0, sum = 0;
    const Tensor values = y.Cast(kF32);
    for (int64_t i = 0; i < count; ++i) {
      kept += values.data<float>()[i] != 0;
      sum += values.data<float>()[i];
    }
    const double sigma = std::sqrt(rate * (1 - rate) * static_cast<double>(count));
    EXPECT_NEAR(kept, (1 - rate) * static_cast<double>(count), 5 * sigma);
    EXPECT_NEAR(sum / static_cast<double>(count), 1, 5 * sigma / (static_cast<double>(count) * (1 - rate)) + 0.004);
  }
}

TEST_P(EpilogueKernelsTest, NanReachesTheOutput) {
  const EpilogueDesc desc{.n = 1, .h = 1, .w = 1, .c = 1, .relu = true, .dtype = dtype_};
  const Tensor x = Tensor::FromVector(std::vector<float>{NAN}, {1}).Cast(dtype_);
  Tensor y(dtype_, {1});
  kernels_.EpilogueForward(desc, {.x = x.raw(), .y = y.raw()});
  EXPECT_TRUE(std::isnan(y.Cast(kF32).data<float>()[0]));
}

INSTANTIATE_TEST_SUITE_P(Isas, EpilogueKernelsTest,
                         ::testing::Combine(::testing::ValuesIn(RunnableIsas()),
                                            ::testing::Values(DType::kFloat32, DType::kBFloat16)),
                         [](const auto& info) {
                           return std::string(NameOf(std::get<0>(info.param))) + "_" + NameOf(std::get<1>(info.param));
                         });

}  // namespace
}  // namespace headrace::tensor
