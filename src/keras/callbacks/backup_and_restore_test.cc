// A training that is cut off goes on with the curve that it would have had.
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "headrace/keras.h"

#include "base/testing/temporary_directory.h"

namespace headrace::keras {
namespace {

using ::testing::HasSubstr;

struct TwelveRows {
  Tensor x = Tensor(DType::kFloat32, {12, 3}), y = Tensor(DType::kFloat32, {12, 1});
  TwelveRows() {
    for (int64_t i = 0; i < x.size(); ++i) x.data<float>()[i] = static_cast<float>(i * 7 % 11) / 11;
    for (int64_t i = 0; i < y.size(); ++i) y.data<float>()[i] = static_cast<float>(i % 3);
  }
};

// One process's training: cut off by an exception before batch `cut` of the epoch, or not at all.
class Life {
 public:
  Life() { model_.compile(Adam({.learning_rate = 0.05}), "mse"); }

  // Validation losses of the epochs.
  std::vector<double> Train(const std::string& directory, BackupAndRestoreOptions options, int cut_epoch = -1,
                            int cut_batch = 0) {
    const TwelveRows rows;
    std::vector<double> losses;
    int epoch = 0;
    const auto cut = LambdaCallback({.on_epoch_begin = [&](int begun) { epoch = begun; },
                                     .on_epoch_end = [&](int, Logs& logs) { losses.push_back(logs.At("val_loss")); },
                                     .on_train_batch_begin =
                                         [&](int batch) {
                                           if (epoch == cut_epoch && batch == cut_batch)
                                             throw std::runtime_error("cut off");
                                         }});
    FitOptions fit{.epochs = 4,
                   .callbacks = {cut, ReduceLROnPlateau({.patience = 1})},
                   .verbose = 0,
                   .batch_size = 3,
                   .validation_split = 0.25};
    if (!directory.empty()) fit.callbacks.push_back(BackupAndRestore(directory, options));
    try {
      model_.fit(rows.x, rows.y, fit);
    } catch (const std::runtime_error&) {
    }
    return losses;
  }

  Sequential& model() { return model_; }

 private:
  Sequential model_{{Dense(4, {.activation = "tanh", .input_shape = {3}}), Dropout(0.2f), Dense(1)}, {.seed = 3}};
};

std::vector<double> Uncut() {
  Life life;
  return life.Train("", {});
}

TEST(BackupAndRestore, GoesOnBehindTheLastEpoch) {
  const TemporaryDirectory temporary;
  const std::string directory = temporary / "backup";
  const std::vector<double> wanted = Uncut();
  Life first, second;
  EXPECT_EQ(first.Train(directory, {}, 2, 1).size(), 2u);
  EXPECT_TRUE(std::filesystem::exists(directory + "/latest.h5"));
  EXPECT_EQ(second.Train(directory, {}), (std::vector<double>{wanted[2], wanted[3]}));
  EXPECT_FALSE(std::filesystem::exists(directory)) << "deleted when fit() has ended";
}

TEST(BackupAndRestore, GoesOnWithinAnEpoch) {
  const TemporaryDirectory temporary;
  const std::string directory = temporary / "backup";
  const std::vector<double> wanted = Uncut();
  for (const int64_t every : {1, 2, 3}) {  // three batches an epoch: the last is an epoch's end
    SCOPED_TRACE(every);
    Life first, second;
    first.Train(directory, {.save_freq = every}, 1, 2);
    const auto found = second.Train(directory, {.save_freq = every, .delete_checkpoint = false});
    EXPECT_EQ(found, (std::vector<double>(wanted.end() - static_cast<int64_t>(found.size()), wanted.end())));
    EXPECT_GE(found.size(), 3u);
    EXPECT_TRUE(std::filesystem::exists(directory + "/latest.h5"));
    std::filesystem::remove_all(directory);
  }
}

TEST(BackupAndRestore, LeavesWhatElseIsInTheDirectory) {
  const TemporaryDirectory temporary;
  std::ofstream(temporary / "notes.txt") << "mine";
  Life life;
  life.Train(temporary.path(), {});
  EXPECT_TRUE(std::filesystem::exists(temporary / "notes.txt"));
  EXPECT_FALSE(std::filesystem::exists(temporary / "latest.h5"));
}

TEST(BackupAndRestore, RefusesWhatItCannotDo) {
  EXPECT_THROW(BackupAndRestore(""), Error);
  EXPECT_THROW(BackupAndRestore("x", {.save_freq = -1}), Error);
  const TemporaryDirectory temporary;
  std::ofstream(temporary / "latest.h5") << "no checkpoint";
  Life life;
  EXPECT_THROW(life.Train(temporary.path(), {}), Error);
}

TEST(Weights, AreCopiedOutAndBack) {
  Life a, b;
  const TwelveRows rows;
  a.model().train_on_batch(rows.x, rows.y);
  const std::vector<Tensor> weights = a.model().get_weights();
  EXPECT_EQ(weights.size(), 4u);
  a.model().train_on_batch(rows.x, rows.y);
  EXPECT_NE(a.model().weights()[0]->value.data<float>()[0], weights[0].data<float>()[0]) << "they are copies";
  b.model().set_weights(weights);
  for (size_t i = 0; i < weights.size(); ++i)
    EXPECT_EQ(std::memcmp(b.model().weights()[i]->value.raw(), weights[i].raw(), weights[i].bytes()), 0);
  Layer layer = b.model().get_layer("dense_1");
  layer.set_weights({Tensor::Zeros(DType::kFloat32, {4, 1}), Tensor::Zeros(DType::kFloat32, {1})});
  EXPECT_EQ(b.model().predict(rows.x).data<float>()[5], 0);
  EXPECT_EQ(layer.get_weights()[0].shape(), (Shape{4, 1}));
  const auto misuse = [&](const std::vector<Tensor>& values) {
    try {
      b.model().set_weights(values);
    } catch (const Error& error) {
      return error.message();
    }
    return std::string("nothing was thrown");
  };
  EXPECT_THAT(misuse({}), HasSubstr("found 0 weights, wanted 4"));
  std::vector<Tensor> wrong = weights;
  wrong[3] = wrong[0];
  wrong[0] = Tensor::Zeros(DType::kFloat32, {3, 4});
  EXPECT_THAT(misuse(wrong), HasSubstr("for dense_1/bias, wanted shape"));
  EXPECT_EQ(b.model().weights()[0]->value.data<float>()[0], weights[0].data<float>()[0]) << "nothing was changed";
}

// Layers of one file, taken by name or as far as they fit.
TEST(LoadWeights, ByNameAndWithoutWhatDoesNotFit) {
  const TemporaryDirectory temporary;
  const std::string path = temporary / "weights.h5";
  const Sequential saved({Dense(4, {.name = "shared", .input_shape = {3}}), Dense(2, {.name = "head"})}, {.seed = 1});
  saved.save_weights(path);
  const auto first = [](const Model& model, const char* layer) {
    return model.get_layer(layer).weights()[0]->value.data<float>()[0];
  };
  Sequential other(
      {Dense(4, {.name = "shared", .input_shape = {3}}), Dense(4, {.name = "new"}), Dense(5, {.name = "head"})},
      {.seed = 2});
  const float before_new = first(other, "new"), before_head = first(other, "head");
  EXPECT_THROW(other.load_weights(path), Error);
  EXPECT_THROW(other.load_weights(path, {.by_name = true}), Error) << "head is of another shape";
  EXPECT_NE(first(other, "shared"), first(saved, "shared")) << "nothing was changed";
  ::testing::internal::CaptureStderr();
  other.load_weights(path, {.by_name = true, .skip_mismatch = true});
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("layer head is skipped: "));
  EXPECT_EQ(first(other, "shared"), first(saved, "shared"));
  EXPECT_EQ(first(other, "new"), before_new);
  EXPECT_EQ(first(other, "head"), before_head);
  Sequential by_order({Dense(4, {.input_shape = {3}}), Dense(3)}, {.seed = 2});
  ::testing::internal::CaptureStderr();
  by_order.load_weights(path, {.skip_mismatch = true});
  ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(first(by_order, "dense"), first(saved, "shared"));
}

}  // namespace
}  // namespace headrace::keras
