// A model from a file goes on exactly where the saved one was.

#include <functional>

#include <gtest/gtest.h>

#include "headrace/keras.h"

#include "base/testing/temporary_directory.h"

namespace headrace::keras {
namespace {

Sequential Network(int64_t seed) {
  return Sequential({Conv2D(4, {3, 3}, {.padding = "same", .input_shape = {8, 8, 3}}), BatchNormalization(),
                     Activation("relu"), Dropout(0.5f), Flatten(), Dense(3), Activation("softmax")},
                    {.seed = seed});
}

struct Batch {
  Tensor x = Tensor(DType::kFloat32, {16, 8, 8, 3});
  Tensor y = Tensor(DType::kInt64, {16});
};
Batch MakeBatch() {
  Batch batch;
  for (int64_t i = 0; i < batch.x.size(); ++i) batch.x.data<float>()[i] = static_cast<float>(i * 7919 % 251) / 251;
  for (int64_t i = 0; i < batch.y.size(); ++i) batch.y.data<int64_t>()[i] = i % 3;
  return batch;
}

std::vector<double> Losses(Model& model, int steps) {
  const Batch batch = MakeBatch();
  std::vector<double> losses;
  for (int i = 0; i < steps; ++i) losses.push_back(model.train_on_batch(batch.x, batch.y).At("loss"));
  return losses;
}

struct Resumed {
  const char* name;
  std::function<Optimizer()> make;
};

class ResumeTest : public testing::TestWithParam<Resumed> {
 protected:
  // Saves after three steps; returns the losses of the next three.
  std::vector<double> TrainAndSave() const {
    Sequential model = Network(1);
    model.compile(GetParam().make(), "sparse_categorical_crossentropy");
    Losses(model, 3);
    model.save(path_);
    return Losses(model, 3);
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_ / "model.h5";
};

TEST_P(ResumeTest, FromTheFileAlone) {
  const std::vector<double> wanted = TrainAndSave();
  Model model = LoadModel(path_);
  EXPECT_EQ(Losses(model, 3), wanted);
}

TEST_P(ResumeTest, IntoAModelOfAnotherSeed) {
  const std::vector<double> wanted = TrainAndSave();
  Sequential model = Network(2);
  model.compile(GetParam().make(), "sparse_categorical_crossentropy");
  model.load_weights(path_);
  EXPECT_EQ(Losses(model, 3), wanted);
}

// The engine keeps what it has compiled; only values change under it.
TEST_P(ResumeTest, IntoAModelThatHasTrained) {
  const std::vector<double> wanted = TrainAndSave();
  Sequential model = Network(2);
  model.compile(GetParam().make(), "sparse_categorical_crossentropy");
  Losses(model, 2);
  model.load_weights(path_);
  EXPECT_EQ(Losses(model, 3), wanted);
}

INSTANTIATE_TEST_SUITE_P(
    Optimizers, ResumeTest,
    testing::Values(Resumed{"sgd", [] { return SGD(); }}, Resumed{"rmsprop", [] { return RMSprop(); }},
                    Resumed{"adam", [] { return Adam(); }}, Resumed{"adamw", [] { return AdamW({.amsgrad = true}); }},
                    Resumed{"adamax", [] { return Adamax(); }}, Resumed{"nadam", [] { return Nadam(); }},
                    Resumed{"adagrad", [] { return Adagrad(); }}, Resumed{"adadelta", [] { return Adadelta(); }},
                    Resumed{"lion", [] { return Lion(); }}, Resumed{"ftrl", [] { return Ftrl(); }},
                    Resumed{"schedule_free", [] { return ScheduleFreeAdamW({.warmup_steps = 4}); }},
                    Resumed{"lamb", [] { return Lamb(); }}, Resumed{"adafactor", [] { return Adafactor(); }},
                    Resumed{"everything",
                            [] {
                              return RMSprop({.momentum = 0.5f,
                                              .centered = true,
                                              .weight_decay = 0.1f,
                                              .clipnorm = 0.5f,
                                              .use_ema = true,
                                              .ema_momentum = 0.9f,
                                              .ema_overwrite_frequency = 2,
                                              .gradient_accumulation_steps = 2});
                            }},
                    Resumed{"schedule", [] { return Adam({.learning_rate = CosineDecay(0.01, 5)}); }}),
    [](const auto& info) { return info.param.name; });

// Its state is in the file, the function is not: who loads the model brings it along.
TEST(Resume, AnOwnScheduleGoesOnWithItsState) {
  const TemporaryDirectory directory;
  const auto optimizer = [] {
    return Adam({.learning_rate = [](int64_t step) { return 0.01 / static_cast<double>(1 + step); }});
  };
  Sequential model = Network(1);
  model.compile(optimizer(), "sparse_categorical_crossentropy");
  Losses(model, 3);
  model.save(directory / "model.h5");
  const std::vector<double> wanted = Losses(model, 3);
  Model loaded = LoadModel(directory / "model.h5");
  EXPECT_THROW(loaded.optimizer(), Error) << "not compiled";
  loaded.compile(optimizer(), "sparse_categorical_crossentropy");
  loaded.load_weights(directory / "model.h5");
  EXPECT_EQ(loaded.optimizer().iterations(), 3);
  EXPECT_EQ(Losses(loaded, 3), wanted);
}

}  // namespace
}  // namespace headrace::keras
