// Crossentropy and optimizers of every instruction set and of the reference back end: known answers, and each other.
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tensor/backend.h"
#include "tensor/cpu.h"
#include "tensor/kernel_testing.h"
#include "tensor/vector_kernels.h"

namespace headrace::tensor {
namespace {

using testing::ExpectClose;
using testing::RandomTensor;
using testing::ToleranceOf;

constexpr DType kF32 = DType::kFloat32;

class TrainingKernelsTest : public ::testing::TestWithParam<Isa> {
 protected:
  VectorKernels kernels_{GetParam()};
  std::unique_ptr<Backend> reference_ = MakeReferenceBackend();
};

struct LossAnswer {
  Tensor losses, dscores;
  template <typename Kernels>
  LossAnswer(const Kernels& kernels, CrossentropyArgs args)
      : losses(kF32, {args.rows}), dscores(args.dtype, {args.rows, args.classes}) {
    args.losses = losses.data<float>();
    args.dscores = dscores.raw();
    kernels.Crossentropy(args);
  }
};

// Rows of scores (probabilities when wanted) with one-hot and sparse labels.
struct LossProblem {
  Tensor scores, one_hot, sparse;
  LossProblem(int64_t rows, int64_t classes, bool probabilities, DType dtype)
      : one_hot(Tensor::Zeros(kF32, {rows, classes})), sparse(DType::kInt64, {rows}) {
    Tensor values = RandomTensor(kF32, {rows, classes}, 5, 0, 3);
    if (probabilities) {
      MakeReferenceBackend()->ActivationForward(Activation::kSoftmax, rows, classes, kF32, values.raw(), values.raw());
    }
    scores = values.Cast(dtype);
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t label = row * 7 % classes;
      one_hot.data<float>()[row * classes + label] = 1;
      sparse.data<int64_t>()[row] = label;
    }
  }
};

TEST_P(TrainingKernelsTest, CrossentropyAgreesWithTheReference) {
  for (DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    for (int64_t classes : {2, 3, 10, 16, 17, 100}) {
      for (int mode = 0; mode < 6; ++mode) {
        const bool sparse = mode % 2 == 1, from_logits = mode / 2 != 2;
        const float smoothing = mode / 2 == 1 && !sparse ? 0.1f : 0.0f;
        SCOPED_TRACE(::testing::Message() << NameOf(dtype) << " classes " << classes << " mode " << mode);
        const LossProblem p(37, classes, !from_logits, dtype);
        const CrossentropyArgs args{.rows = 37,
                                    .classes = classes,
                                    .from_logits = from_logits,
                                    .label_smoothing = smoothing,
                                    .labels = sparse ? Labels::kSparse : Labels::kOneHot,
                                    .dtype = dtype,
                                    .scores = p.scores.raw(),
                                    .targets = sparse ? p.sparse.raw() : p.one_hot.raw()};
        const LossAnswer found(kernels_, args), wanted(*reference_, args);
        ExpectClose(found.losses, wanted.losses, {3e-6, 1e-6}, "losses");
        ExpectClose(found.dscores, wanted.dscores, ToleranceOf(dtype, 1e-5, 1e-7), "dscores");
      }
    }
  }
}

template <typename Kernels>
void ExpectKnownLoss(const Kernels& kernels) {
  const std::vector<float> logits{1, 2, 3};
  const int64_t label = 2;
  const LossAnswer answer(
      kernels, {.rows = 1, .classes = 3, .labels = Labels::kSparse, .scores = logits.data(), .targets = &label});
  EXPECT_NEAR(answer.losses.template data<float>()[0], 0.40760596444438046, 2e-7);
  const double softmax[] = {.09003057, .24472847, .66524096 - 1};
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(answer.dscores.template data<float>()[i], softmax[i], 1e-7);
}

TEST_P(TrainingKernelsTest, CrossentropyKnownAnswer) {
  ExpectKnownLoss(kernels_);
  ExpectKnownLoss(*reference_);
}

TEST_P(TrainingKernelsTest, HugeLogitsStayFinite) {
  const std::vector<float> logits{1e30f, -1e30f, 0};
  const int64_t label = 0;
  const LossAnswer answer(
      kernels_, {.rows = 1, .classes = 3, .labels = Labels::kSparse, .scores = logits.data(), .targets = &label});
  EXPECT_EQ(answer.losses.data<float>()[0], 0);
}

// One weight, constant gradient 0.1, start 1.
struct Weight {
  float w = 1, g = 0.1f, a = 0, b = 0;
};

template <typename Kernels>
void ExpectKnownSgd(const Kernels& kernels, bool nesterov, std::vector<double> wanted) {
  Weight p;
  for (double w : wanted) {
    kernels.Sgd(
        {.count = 1, .lr = .01f, .momentum = .9f, .nesterov = nesterov, .w = &p.w, .g = &p.g, .velocity = &p.a});
    EXPECT_NEAR(p.w, w, 1e-7);
  }
}

template <typename Kernels>
void ExpectKnownRmsprop(const Kernels& kernels) {
  Weight p;
  for (double w : {0.9968378804418571, 0.99454378347333}) {
    kernels.Rmsprop({.count = 1,
                     .lr = .001f,
                     .rho = .9f,
                     .epsilon = 1e-7f,
                     .momentum = 0,
                     .w = &p.w,
                     .g = &p.g,
                     .mean_square = &p.a,
                     .velocity = nullptr});
    EXPECT_NEAR(p.w, w, 1.5e-7);
  }
}

template <typename Kernels>
void ExpectKnownAdam(const Kernels& kernels) {
  Weight p;
  int t = 1;
  for (double w : {0.9990000316217766, 0.9980000539875484, 0.9970000722537659}) {
    const double lr_t = .001 * std::sqrt(1 - std::pow(.999, t)) / (1 - std::pow(.9, t));
    kernels.Adam({.count = 1,
                  .lr_t = static_cast<float>(lr_t),
                  .beta_1 = .9f,
                  .beta_2 = .999f,
                  .epsilon = 1e-7f,
                  .w = &p.w,
                  .g = &p.g,
                  .m = &p.a,
                  .v = &p.b});
    EXPECT_NEAR(p.w, w, 2e-7);
    ++t;
  }
}

template <typename Kernels>
void ExpectKnownUpdates(const Kernels& kernels) {
  ExpectKnownSgd(kernels, false, {0.999, 0.9971});
  ExpectKnownSgd(kernels, true, {0.9981, 0.99539});
  ExpectKnownRmsprop(kernels);
  ExpectKnownAdam(kernels);
}

TEST_P(TrainingKernelsTest, OptimizersKnownAnswers) {
  ExpectKnownUpdates(kernels_);
  ExpectKnownUpdates(*reference_);
}

// Twenty steps of each optimizer on `count` weights.
template <typename Kernels>
Tensor Train(const Kernels& kernels, int64_t count, int mode) {
  Tensor w = RandomTensor(kF32, {count}, 1), a = Tensor::Zeros(kF32, {count}), b = Tensor::Zeros(kF32, {count});
  for (uint32_t step = 0; step < 20; ++step) {
    const Tensor g = RandomTensor(kF32, {count}, 100 + step);
    float *pw = w.data<float>(), *pa = a.data<float>(), *pb = b.data<float>();
    const float* pg = g.data<float>();
    const float momentum = mode % 2 == 1 ? 0.9f : 0.0f;
    if (mode < 3) kernels.Sgd({count, 0.01f, mode == 2 ? 0.8f : momentum, mode == 2, pw, pg, pa});
    if (mode == 3 || mode == 4) kernels.Rmsprop({count, 0.001f, 0.9f, 1e-7f, momentum, pw, pg, pa, pb});
    if (mode == 5) kernels.Adam({count, 0.001f, 0.9f, 0.999f, 1e-7f, pw, pg, pa, pb});
  }
  return w;
}

TEST_P(TrainingKernelsTest, OptimizersAgreeWithTheReference) {
  for (int64_t count : {1, 17, 33, 9000}) {
    for (int mode = 0; mode < 6; ++mode) {
      SCOPED_TRACE(::testing::Message() << "count " << count << " mode " << mode);
      ExpectClose(Train(kernels_, count, mode), Train(*reference_, count, mode), {2e-6, 2e-6}, "weights");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, TrainingKernelsTest, ::testing::ValuesIn(RunnableIsas()),
                         [](const auto& info) { return std::string(NameOf(info.param)); });

}  // namespace
}  // namespace headrace::tensor
