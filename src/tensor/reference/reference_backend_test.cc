// The oracle itself, checked against numeric gradients of its own forward passes and against known answers.
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "tensor/backend.h"
#include "tensor/kernel_testing.h"

namespace headrace::tensor {
namespace {

using testing::Dot;
using testing::ExpectGradient;
using testing::RandomTensor;
using testing::SpacedTensor;

constexpr DType kF32 = DType::kFloat32;

class ReferenceTest : public ::testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = MakeReferenceBackend();
};

Conv2DDesc UnevenConvolution() {
  Conv2DDesc desc{.n = 2, .h = 7, .w = 6, .c = 2, .kh = 3, .kw = 2, .f = 3};
  desc.stride_h = 2;
  desc.dilation_w = 2;
  desc.pad_top = 1;
  desc.pad_bottom = 2;
  desc.pad_right = 1;
  return desc;
}

TEST_F(ReferenceTest, ConvolutionOfOnesCountsTheTapsInside) {
  Conv2DDesc desc{.n = 1, .h = 3, .w = 3, .c = 1, .kh = 3, .kw = 3, .f = 1};
  desc.pad_top = desc.pad_bottom = desc.pad_left = desc.pad_right = 1;
  const std::vector<float> ones(9, 1.0f);
  const float bias = 0.5f;
  std::vector<float> y(9);
  backend_->ConvForwards(desc).front()->Run({.x = ones.data(), .kernel = ones.data(), .bias = &bias, .y = y.data()});
  EXPECT_EQ(y, (std::vector<float>{4.5, 6.5, 4.5, 6.5, 9.5, 6.5, 4.5, 6.5, 4.5}));
}

TEST_F(ReferenceTest, ConvolutionGradientsAreThoseOfTheForwardPass) {
  const Conv2DDesc desc = UnevenConvolution();
  Tensor x = RandomTensor(kF32, {desc.n, desc.h, desc.w, desc.c}, 1);
  Tensor kernel = RandomTensor(kF32, {desc.kh, desc.kw, desc.c, desc.f}, 2);
  Tensor bias = RandomTensor(kF32, {desc.f}, 3);
  Tensor y(kF32, {desc.n, desc.out_h(), desc.out_w(), desc.f});
  const Tensor dy = RandomTensor(kF32, y.shape(), 4);
  Tensor dx(kF32, x.shape()), dkernel(kF32, kernel.shape()), dbias(kF32, bias.shape());

  const auto forward = backend_->ConvForwards(desc);
  const auto loss = [&] {
    forward.front()->Run({.x = x.raw(), .kernel = kernel.data<float>(), .bias = bias.data<float>(), .y = y.raw()});
    return Dot(dy, y);
  };
  backend_->ConvBackwardDatas(desc).front()->Run({.dy = dy.raw(), .kernel = kernel.data<float>(), .dx = dx.raw()});
  backend_->ConvBackwardWeightss(desc).front()->Run(
      {.x = x.raw(), .dy = dy.raw(), .dkernel = dkernel.data<float>(), .dbias = dbias.data<float>()});
  ExpectGradient(x, dx, loss, 0.1, 1e-4, "dx");
  ExpectGradient(kernel, dkernel, loss, 0.1, 1e-4, "dkernel");
  ExpectGradient(bias, dbias, loss, 0.1, 1e-4, "dbias");
}

TEST_F(ReferenceTest, ConvolutionFusesTheTransformAndTheMomentsItPromises) {
  const Conv2DDesc desc = UnevenConvolution();
  const Tensor x = RandomTensor(kF32, {desc.n, desc.h, desc.w, desc.c}, 1);
  const Tensor kernel = RandomTensor(kF32, {desc.kh, desc.kw, desc.c, desc.f}, 2);
  const float scale[] = {0.5f, -2.0f}, shift[] = {1.0f, 0.25f};
  Tensor transformed(kF32, x.shape());
  backend_->EpilogueForward({.n = desc.n, .h = desc.h, .w = desc.w, .c = desc.c, .batch_norm = true, .relu = true},
                            {.x = x.raw(), .scale = scale, .shift = shift, .y = transformed.raw()});

  const Shape out{desc.n, desc.out_h(), desc.out_w(), desc.f};
  Tensor fused(kF32, out), separate(kF32, out);
  std::vector<float> mean(3), variance(3), mean_alone(3), variance_alone(3);
  const ChannelAffine input{scale, shift, true};
  const ChannelMoments moments{mean.data(), variance.data()};
  const auto forward = backend_->ConvForwards(desc);
  forward.front()->Run(
      {.x = x.raw(), .kernel = kernel.data<float>(), .y = fused.raw(), .input = &input, .moments = &moments});
  forward.front()->Run({.x = transformed.raw(), .kernel = kernel.data<float>(), .y = separate.raw()});
  backend_->Moments(out.size() / 3, 3, kF32, separate.raw(), {mean_alone.data(), variance_alone.data()});
  testing::ExpectSameBits(fused, separate, "y");
  EXPECT_EQ(mean, mean_alone);
  EXPECT_EQ(variance, variance_alone);
}

TEST_F(ReferenceTest, DenseGradientsAreThoseOfTheForwardPass) {
  const DenseDesc desc{.rows = 3, .in = 5, .out = 4};
  Tensor x = RandomTensor(kF32, {3, 5}, 1), kernel = RandomTensor(kF32, {5, 4}, 2), bias = RandomTensor(kF32, {4}, 3);
  Tensor y(kF32, {3, 4}), dx(kF32, {3, 5}), dkernel(kF32, {5, 4}), dbias(kF32, {4});
  const Tensor dy = RandomTensor(kF32, {3, 4}, 4);
  const auto loss = [&] {
    backend_->DenseForward(desc, x.raw(), kernel.data<float>(), bias.data<float>(), y.raw(), nullptr);
    return Dot(dy, y);
  };
  backend_->DenseBackwardData(desc, dy.raw(), kernel.data<float>(), dx.raw(), nullptr);
  backend_->DenseBackwardWeights(desc, x.raw(), dy.raw(), dkernel.data<float>(), dbias.data<float>(), nullptr);
  ExpectGradient(x, dx, loss, 0.1, 1e-4, "dx");
  ExpectGradient(kernel, dkernel, loss, 0.1, 1e-4, "dkernel");
  ExpectGradient(bias, dbias, loss, 0.1, 1e-4, "dbias");
}

// The whole of a training step's BatchNormalization: statistics from x, then the epilogue.
struct BatchNorm {
  std::vector<float> mean, variance, scale, shift, rstd;

  BatchNorm(const Backend& backend, const EpilogueDesc& desc, const Tensor& x, const Tensor& gamma, const Tensor& beta)
      : mean(desc.c), variance(desc.c), scale(desc.c), shift(desc.c), rstd(desc.c) {
    backend.Moments(desc.n * desc.h * desc.w, desc.c, desc.dtype, x.raw(), {mean.data(), variance.data()});
    for (int64_t c = 0; c < desc.c; ++c) {
      rstd[c] = 1 / std::sqrt(variance[c] + 1e-3f);
      scale[c] = gamma.data<float>()[c] * rstd[c];
      shift[c] = beta.data<float>()[c] - mean[c] * scale[c];
    }
  }
};

TEST_F(ReferenceTest, EpilogueGradientsIncludeTheStatistics) {
  for (const auto& [pool_h, pool_w] : {std::pair{1, 1}, {2, 2}, {3, 2}}) {
    const EpilogueDesc desc{
        .n = 2, .h = 5, .w = 5, .c = 3, .batch_norm = true, .relu = true, .pool_h = pool_h, .pool_w = pool_w};
    Tensor x = SpacedTensor({2, 5, 5, 3}, 7, 0.05f);
    Tensor gamma = Tensor::FromVector(std::vector<float>{0.7f, -1.2f, 1.5f}, {3});
    Tensor beta = Tensor::FromVector(std::vector<float>{0.313f, 0.171f, -0.257f}, {3});
    Tensor y(kF32, {2, desc.out_h(), desc.out_w(), 3});
    const Tensor dy = RandomTensor(kF32, y.shape(), 9);
    const DropoutDraw dropout{0.3f, 1234};
    const auto loss = [&] {
      const BatchNorm norm(*backend_, desc, x, gamma, beta);
      backend_->EpilogueForward(
          desc,
          {.x = x.raw(), .scale = norm.scale.data(), .shift = norm.shift.data(), .dropout = dropout, .y = y.raw()});
      return Dot(dy, y);
    };
    const BatchNorm norm(*backend_, desc, x, gamma, beta);
    Tensor dx(kF32, x.shape()), dgamma(kF32, {3}), dbeta(kF32, {3});
    const EpilogueBackwardArgs args{.x = x.raw(),
                                    .dy = dy.raw(),
                                    .scale = norm.scale.data(),
                                    .shift = norm.shift.data(),
                                    .mean = norm.mean.data(),
                                    .rstd = norm.rstd.data(),
                                    .dropout = dropout,
                                    .dgamma = dgamma.data<float>(),
                                    .dbeta = dbeta.data<float>(),
                                    .dx = dx.raw()};
    backend_->EpilogueBackwardSums(desc, args);
    backend_->EpilogueBackward(desc, args);
    ExpectGradient(x, dx, loss, 4e-3, 2e-3, "dx");
    ExpectGradient(gamma, dgamma, loss, 1e-3, 2e-3, "dgamma");
    ExpectGradient(beta, dbeta, loss, 1e-3, 2e-3, "dbeta");
  }
}

TEST_F(ReferenceTest, ActivationGradientsAreThoseOfTheForwardPass) {
  for (Activation activation : {Activation::kLinear, Activation::kRelu, Activation::kSigmoid, Activation::kTanh,
                                Activation::kElu, Activation::kGelu, Activation::kSwish, Activation::kSoftmax}) {
    Tensor x = SpacedTensor({4, 7}, 3, 0.2f), y(kF32, {4, 7}), dx(kF32, {4, 7});
    const Tensor dy = RandomTensor(kF32, {4, 7}, 5);
    const auto loss = [&] {
      backend_->ActivationForward(activation, 4, 7, kF32, x.raw(), y.raw());
      return Dot(dy, y);
    };
    loss();
    backend_->ActivationBackward(activation, 4, 7, kF32, x.raw(), y.raw(), dy.raw(), dx.raw());
    ExpectGradient(x, dx, loss, 1e-2, 1e-3, "activation");
  }
}

TEST_F(ReferenceTest, PoolingGradientsAreThoseOfTheForwardPass) {
  Pool2DDesc desc{.n = 2, .h = 7, .w = 6, .c = 2, .pool_h = 3, .pool_w = 2, .stride_h = 2, .stride_w = 1};
  desc.pad_top = desc.pad_right = 1;
  Tensor x = SpacedTensor({2, 7, 6, 2}, 1, 0.1f), y(kF32, {2, desc.out_h(), desc.out_w(), 2}), dx(kF32, x.shape());
  const Tensor dy = RandomTensor(kF32, y.shape(), 2);
  backend_->MaxPoolBackward(desc, x.raw(), dy.raw(), dx.raw());
  ExpectGradient(
      x, dx,
      [&] {
        backend_->MaxPoolForward(desc, x.raw(), y.raw());
        return Dot(dy, y);
      },
      0.02, 1e-3, "max");

  Tensor mean(kF32, {2, 2});
  const Tensor dmean = RandomTensor(kF32, {2, 2}, 3);
  backend_->GlobalAveragePoolBackward(2, 42, 2, kF32, dmean.raw(), dx.raw());
  ExpectGradient(
      x, dx,
      [&] {
        backend_->GlobalAveragePoolForward(2, 42, 2, kF32, x.raw(), mean.raw());
        return Dot(dmean, mean);
      },
      0.1, 1e-3, "average");
}

TEST_F(ReferenceTest, CrossentropyGradientsAreThoseOfTheMeanLoss) {
  const Tensor one_hot = Tensor::FromVector(std::vector<float>{0, 1, 0, 0, 0, 0, 0, 1, 0.5f, 0, 0.25f, 0.25f}, {3, 4});
  const Tensor sparse = Tensor::FromVector(std::vector<int64_t>{1, 3, 0}, {3});
  for (bool from_logits : {true, false}) {
    for (Labels labels : {Labels::kOneHot, Labels::kSparse}) {
      Tensor scores = RandomTensor(kF32, {3, 4}, 1, 0.5f, 0.08f), losses(kF32, {3}), dscores(kF32, {3, 4});
      CrossentropyArgs args{.rows = 3,
                            .classes = 4,
                            .from_logits = from_logits,
                            .label_smoothing = 0.1f,
                            .labels = labels,
                            .scores = scores.raw(),
                            .targets = labels == Labels::kSparse ? sparse.raw() : one_hot.raw(),
                            .dscores = dscores.raw(),
                            .losses = losses.data<float>()};
      backend_->Crossentropy(args);
      args.dscores = nullptr;
      ExpectGradient(
          scores, dscores,
          [&] {
            backend_->Crossentropy(args);
            return (static_cast<double>(losses.data<float>()[0]) + losses.data<float>()[1] + losses.data<float>()[2]) /
                   3;
          },
          3e-3, 1e-3, from_logits ? "logits" : "probabilities");
    }
  }
}

TEST_F(ReferenceTest, BatchNormalizationKnownAnswer) {
  const EpilogueDesc desc{.n = 4, .h = 1, .w = 1, .c = 1, .batch_norm = true};
  const Tensor x = Tensor::FromVector(std::vector<float>{1, 2, 3, 4}, {4, 1});
  const Tensor one = Tensor::FromVector(std::vector<float>{1}, {1}), zero = Tensor::Zeros(kF32, {1});
  const BatchNorm norm(*backend_, desc, x, one, zero);
  EXPECT_EQ(norm.mean[0], 2.5f);
  EXPECT_EQ(norm.variance[0], 1.25f);
  std::vector<float> y(4);
  backend_->EpilogueForward(desc,
                            {.x = x.raw(), .scale = norm.scale.data(), .shift = norm.shift.data(), .y = y.data()});
  const double wanted[] = {-1.34110445, -0.44703482, 0.44703482, 1.34110445};
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(y[i], wanted[i], 1e-6);
}

}  // namespace
}  // namespace headrace::tensor
