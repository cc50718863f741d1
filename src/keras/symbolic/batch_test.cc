// Values whose rows are not the batch's samples: several of them a sample, one for all samples, or none.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "headrace/keras.h"
#include "headrace/ops.h"

#include "tensor/kernel_testing.h"

namespace headrace::keras {
namespace {

using tensor::testing::RandomTensor;
using ::testing::HasSubstr;

constexpr tensor::testing::Tolerance kSame{1e-5, 1e-5};

template <typename Function>
std::string ErrorOf(const Function& function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing thrown";
}

// Three frames of 6 by 6 a sample, each seen by the same layers.
TEST(FoldedBatch, GoesThroughLayersOfImagesAsASampleForEachFrame) {
  const Conv2D conv(4, {3, 3}, {.activation = "relu"});
  const Dense dense(5);
  const auto of_frames = [&](const KerasTensor& x) {
    const KerasTensor y = MaxPooling2D()(conv(ZeroPadding2D()(x)));
    return ops::concatenate({GlobalAveragePooling2D()(y), dense(Flatten()(y))});
  };
  const KerasTensor clips = Input({3, 6, 6, 2}), frames = Input({6, 6, 2});
  const KerasTensor folded = of_frames(ops::reshape(clips, {-1, 6, 6, 2}));
  EXPECT_EQ(folded.shape(), Shape({-3, 9}));
  Model of_clips(clips, ops::reshape(folded, {-1, 27})), plain(frames, of_frames(frames));

  const Tensor x = RandomTensor(DType::kFloat32, {8, 3, 6, 6, 2}, 1);
  tensor::testing::ExpectClose(of_clips.predict(x).Reshape({24, 9}), plain.predict(x.Reshape({24, 6, 6, 2})), kSame,
                               "scores");
  const Tensor y = RandomTensor(DType::kFloat32, {8, 27}, 2);
  of_clips.compile(SGD({.learning_rate = 0.1f}), "mse");
  const double loss = of_clips.train_on_batch(x, y).At("loss");
  EXPECT_LT(of_clips.test_on_batch(x, y).At("loss"), loss);
}

TEST(ModelOutputs, HaveTheBatchInFront) {
  const KerasTensor x = Input({3, 4});
  const auto refusal = [&](const KerasTensor& output) {
    return ErrorOf([&] { Model(x, output).compile("sgd", "mse"); });
  };
  EXPECT_THAT(refusal(ops::sum(x)), HasSubstr("found an output of shape (), wanted the batch in front"));
  EXPECT_THAT(refusal(ops::sum(x, 0)), HasSubstr("found an output of shape (3, 4), wanted the batch in front"));
  EXPECT_THAT(refusal(ops::reshape(x, {-1, 4})),
              HasSubstr("(None, 4) with 3 rows a sample, wanted the batch in front"));
  EXPECT_THAT(refusal(KerasTensor()), HasSubstr("an output that was never set"));
}

TEST(ModelInputs, AreInputs) {
  const KerasTensor x = Input({2}), constant = ops::convert_to_tensor(Tensor::Zeros(DType::kFloat32, {1, 2}));
  EXPECT_THAT(ErrorOf([&] {
                Model(std::vector<KerasTensor>{x, constant}, {x + constant});
              }),
              HasSubstr("found the output of layer constant as input, wanted one of Input()"));
  EXPECT_THAT(ErrorOf([&] {
                Model(std::vector<KerasTensor>{x, KerasTensor()}, {x * 2});
              }),
              HasSubstr("an input that was never set"));
}

TEST(Concatenate, DoesNotCountTheBatchAsANumber) {
  const KerasTensor x = Input({2}), three = ops::zeros({3, 2});
  const std::string wanted = "found parts of shapes (None, 2) and (3, 2)";
  EXPECT_THAT(ErrorOf([&] { ops::concatenate({x, three}, 0); }), HasSubstr(wanted));
  EXPECT_THAT(ErrorOf([&] {
                ops::concatenate({three, x}, 0);
              }),
              HasSubstr("found parts of shapes (3, 2) and (None, 2)"));
  EXPECT_EQ(ops::concatenate({x, ops::reshape(Input({4}), {-1, 2})}, 0).shape(), Shape({-3, 2}));
}

TEST(OwnMetric, CountsAllOfSeveralValuesASample) {
  const auto errors = [](const KerasTensor& y_true, const KerasTensor& y_pred) {
    return ops::reshape(ops::abs(y_true - y_pred), {-1});
  };
  const KerasTensor input = Input({4});
  Model model(input, Activation("linear")(input));
  model.compile("sgd", "mae", {Metric(errors, {.name = "errors"}), "mae"});
  const Tensor x = RandomTensor(DType::kFloat32, {6, 4}, 1), y = RandomTensor(DType::kFloat32, {6, 4}, 2);
  const Logs logs = model.test_on_batch(x, y);
  EXPECT_NEAR(logs.At("errors"), logs.At("mae"), 1e-6);
}

}  // namespace
}  // namespace headrace::keras
