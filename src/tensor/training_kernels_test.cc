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
  UpdateArgs Args(UpdateRule rule, float lr) { return {.rule = rule, .count = 1, .w = &w, .g = &g, .lr = lr}; }
};

template <typename Kernels>
void ExpectKnownSgd(const Kernels& kernels, bool nesterov, std::vector<double> wanted) {
  Weight p;
  UpdateArgs args = p.Args(UpdateRule::kSgd, .01f);
  args.momentum = .9f;
  args.nesterov = nesterov;
  args.slots[0] = &p.a;
  for (double w : wanted) {
    kernels.Update(args);
    EXPECT_NEAR(p.w, w, 1e-7);
  }
}

template <typename Kernels>
void ExpectKnownRmsprop(const Kernels& kernels) {
  Weight p;
  UpdateArgs args = p.Args(UpdateRule::kRmsprop, .001f);
  args.rho = .9f;
  args.epsilon = 1e-7f;
  args.slots[0] = &p.a;
  for (double w : {0.9968378804418571, 0.99454378347333}) {
    kernels.Update(args);
    EXPECT_NEAR(p.w, w, 1.5e-7);
  }
}

template <typename Kernels>
void ExpectKnownAdam(const Kernels& kernels) {
  Weight p;
  int t = 1;
  for (double w : {0.9990000316217766, 0.9980000539875484, 0.9970000722537659}) {
    UpdateArgs args =
        p.Args(UpdateRule::kAdam, static_cast<float>(.001 * std::sqrt(1 - std::pow(.999, t)) / (1 - std::pow(.9, t))));
    args.beta_1 = .9f;
    args.beta_2 = .999f;
    args.epsilon = 1e-7f;
    args.slots[0] = &p.a;
    args.slots[1] = &p.b;
    kernels.Update(args);
    EXPECT_NEAR(p.w, w, 2e-7);
    ++t;
  }
}

// Before the rule the gradient is scaled and clipped and the weight decays; behind it the average is moved.
template <typename Kernels>
void ExpectKnownBeforeAndBehind(const Kernels& kernels) {
  Weight p;
  UpdateArgs args = p.Args(UpdateRule::kSgd, 1);
  args.scale = 5;
  args.clip = .25f;
  args.decay = .1f;
  args.average = &p.b;
  args.average_momentum = .75f;
  kernels.Update(args);
  EXPECT_FLOAT_EQ(p.w, .9f - .25f);
  EXPECT_FLOAT_EQ(p.b, .25f * .65f);
  args.rule = UpdateRule::kKeep;
  args.decay = 0;
  kernels.Update(args);
  EXPECT_FLOAT_EQ(p.w, .65f);
  EXPECT_FLOAT_EQ(p.b, .75f * .25f * .65f + .25f * .65f);
  p.g = -1;
  args.rule = UpdateRule::kSgd;
  kernels.Update(args);
  EXPECT_FLOAT_EQ(p.w, .9f);
  p.g = std::nanf("");
  kernels.Update(args);
  EXPECT_TRUE(std::isnan(p.w));
}

template <typename Kernels>
void ExpectKnownUpdates(const Kernels& kernels) {
  ExpectKnownSgd(kernels, false, {0.999, 0.9971});
  ExpectKnownSgd(kernels, true, {0.9981, 0.99539});
  ExpectKnownRmsprop(kernels);
  ExpectKnownAdam(kernels);
  ExpectKnownBeforeAndBehind(kernels);
}

TEST_P(TrainingKernelsTest, OptimizersKnownAnswers) {
  ExpectKnownUpdates(kernels_);
  ExpectKnownUpdates(*reference_);
}

// Every rule, with all of its slots and with as few as it takes.
std::vector<UpdateArgs> Rules() {
  UpdateArgs all{.lr = .01f, .rho = .9f, .beta_1 = .9f, .beta_2 = {.99f, .01f}, .momentum = .9f, .epsilon = 1e-5f};
  all.m_factor = .6f;
  all.g_factor = .3f;
  all.v_factor = 2;
  all.power = .5f;
  all.l1 = .01f;
  all.l2 = .02f;
  all.shrinkage = .03f;
  std::vector<UpdateArgs> rules;
  for (const UpdateRule rule : {UpdateRule::kSgd, UpdateRule::kRmsprop, UpdateRule::kAdam, UpdateRule::kAdamax,
                                UpdateRule::kNadam, UpdateRule::kAdagrad, UpdateRule::kAdadelta, UpdateRule::kLion,
                                UpdateRule::kFtrl, UpdateRule::kScheduleFree, UpdateRule::kLamb, UpdateRule::kKeep}) {
    all.rule = rule;
    rules.push_back(all);
  }
  all.rule = UpdateRule::kSgd;
  all.nesterov = true;
  rules.push_back(all);
  all.rule = UpdateRule::kFtrl;
  all.power = .7f;
  rules.push_back(all);
  all.rule = UpdateRule::kAdafactor;
  all.epsilon_2 = .01f;
  all.clip_threshold = .5f;
  rules.push_back(all);
  return rules;
}

// Twenty steps of a rule on `count` weights: weights, slots and average.
template <typename Kernels>
std::vector<Tensor> Train(const Kernels& kernels, int64_t count, UpdateArgs args, int slots) {
  std::vector<Tensor> values = {RandomTensor(kF32, {count}, 1), Tensor::Zeros(kF32, {count})};
  for (int slot = 0; slot < slots; ++slot) {
    values.push_back(Tensor::Zeros(kF32, {count}));
    std::fill_n(values.back().data<float>(), count, 0.1f);
    args.slots[slot] = values.back().data<float>();
  }
  args.count = count;
  args.w = values[0].data<float>();
  args.average = values[1].data<float>();
  args.average_momentum = .9f;
  args.scale = .5f;
  args.clip = .4f;
  args.decay = .001f;
  for (uint32_t step = 0; step < 20; ++step) {
    const Tensor g = RandomTensor(kF32, {count}, 100 + step);
    args.g = g.data<float>();
    kernels.Update(args);
  }
  return values;
}

// A rule that only looks at a sign, or at a difference that vanishes, is compared where it does not.
TEST_P(TrainingKernelsTest, OptimizersAgreeWithTheReference) {
  for (int64_t count : {1, 17, 33, 9000}) {
    size_t number = 0;
    for (const UpdateArgs& rule : Rules()) {
      for (const int slots : {2, 3}) {
        SCOPED_TRACE(::testing::Message() << "count " << count << " rule " << number << " slots " << slots);
        const auto found = Train(kernels_, count, rule, slots), wanted = Train(*reference_, count, rule, slots);
        // Ftrl takes powers of sums that grow from each other.
        const double bound = rule.rule == UpdateRule::kFtrl ? 2e-4 : 4e-6;
        for (size_t i = 0; i < found.size(); ++i) ExpectClose(found[i], wanted[i], {bound, bound}, "values");
      }
      ++number;
    }
    // Three matrices a variable.
    UpdateArgs matrices = Rules().back();
    matrices.rows = count;
    matrices.columns = 5;
    const auto found = Train(kernels_, 15 * count, matrices, 3),
               wanted_of = Train(*reference_, 15 * count, matrices, 3);
    for (size_t i = 0; i < found.size(); ++i) ExpectClose(found[i], wanted_of[i], {4e-6, 4e-6}, "of matrices");
    const Tensor x = RandomTensor(kF32, {count}, 5);
    const double wanted = reference_->SumOfSquares(count, x.data<float>());
    EXPECT_NEAR(kernels_.SumOfSquares(count, x.data<float>()), wanted, 1e-6 * wanted);
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, TrainingKernelsTest, ::testing::ValuesIn(RunnableIsas()),
                         [](const auto& info) { return std::string(NameOf(info.param)); });

}  // namespace
}  // namespace headrace::tensor
