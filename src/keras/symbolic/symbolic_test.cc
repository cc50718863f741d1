// Layers, losses and metrics of one's own, and operations between layers of a model.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "headrace/keras.h"
#include "headrace/ops.h"

#include "base/testing/temporary_directory.h"
#include "keras/model_state.h"
#include "tensor/kernel_testing.h"

namespace headrace::keras {
namespace {

using tensor::testing::RandomTensor;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;

constexpr tensor::testing::Tolerance kClose{1e-5, 1e-5};

class Linear : public CustomLayer {
 public:
  explicit Linear(int64_t units, LayerOptions options = {}) : CustomLayer(std::move(options)), units_(units) {}
  void build(const Shape& input) override {
    ++built;
    kernel_ = add_weight("kernel", {input.dims().back(), units_}, {.regularizer = L2(0.1f)});
    bias_ = add_weight("bias", {units_}, {.initializer = "zeros"});
  }
  KerasTensor call(const KerasTensor& x) override { return ops::matmul(x, kernel_) + bias_; }
  int built = 0;

 private:
  int64_t units_;
  KerasTensor kernel_, bias_;
};

// Two layers inside, one of them used twice.
class Block : public CustomLayer {
 public:
  explicit Block(int64_t units) : first_(units, {.activation = "tanh"}), second_(units) {}
  KerasTensor call(const KerasTensor& x) override { return first_(x) + second_(first_(x)); }
  Dense first_, second_;
};

class TwoInputs : public CustomLayer {
 public:
  using CustomLayer::CustomLayer;
  KerasTensor call(const std::vector<KerasTensor>& x) override { return x[0] * x[1]; }
};

class Penalized : public CustomLayer {
 public:
  KerasTensor call(const KerasTensor& x) override {
    add_loss(3 * ops::mean(ops::square(x)));
    return x;
  }
};

template <typename Function>
std::string MessageOf(const Function& function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing thrown";
}

void Copy(const Layer& from, const Layer& to) {
  for (size_t i = 0; i < from.weights().size(); ++i) to.weights()[i]->value = from.weights()[i]->value.Clone();
}

std::vector<float> Values(const Tensor& tensor) { return {tensor.data<float>(), tensor.data<float>() + tensor.size()}; }

void ExpectEqualWeights(const Model& a, const Model& b) {
  ASSERT_EQ(a.weights().size(), b.weights().size());
  for (size_t i = 0; i < a.weights().size(); ++i)
    tensor::testing::ExpectClose(a.weights()[i]->value, b.weights()[i]->value, kClose, a.weights()[i]->name.c_str());
}

TEST(CustomLayerTest, TrainsAsTheLayerThatComesWithTheLibrary) {
  const Custom<Linear> own(4, LayerOptions{.input_shape = {3}});
  const Dense dense(4, {.kernel_regularizer = L2(0.1f), .input_shape = {3}});
  Sequential a({own, Dense(2)}, {.seed = 1}), b({dense, Dense(2)}, {.seed = 1});
  EXPECT_EQ(own.name(), "linear");
  EXPECT_EQ(own.weights()[0]->name, "linear/kernel");
  EXPECT_EQ(own->built, 1);
  Copy(own, dense);
  const Tensor x = RandomTensor(DType::kFloat32, {6, 3}, 1), y = RandomTensor(DType::kFloat32, {6, 2}, 2);
  for (Model* model : {static_cast<Model*>(&a), static_cast<Model*>(&b)}) {
    model->compile(SGD({.learning_rate = 0.1f}), "mse");
    for (int step = 0; step < 3; ++step) model->train_on_batch(x, y);
  }
  ExpectEqualWeights(a, b);
}

TEST(CustomLayerTest, HasTheWeightsOfLayersInside) {
  const Custom<Block> block(3);
  const KerasTensor input = Input({3});
  Model own(input, Dense(1)(block(input)), {.seed = 2});
  EXPECT_EQ(own.count_params(), 2 * 12 + 4);
  EXPECT_EQ(block.weights()[2]->name, "block/dense_1/kernel");

  const Dense first(3, {.activation = "tanh"}), second(3), last(1);
  const KerasTensor hidden = first(input);
  Model plain(input, last(first(input) + second(hidden)), {.seed = 3});
  Copy(block->first_, first);
  Copy(block->second_, second);
  Copy(own.layers().back(), last);
  const Tensor x = RandomTensor(DType::kFloat32, {5, 3}, 1), y = RandomTensor(DType::kFloat32, {5, 1}, 2);
  for (Model* model : {&own, &plain}) {
    model->compile(SGD({.learning_rate = 0.1f}), "mse");
    for (int step = 0; step < 3; ++step) model->train_on_batch(x, y);
  }
  for (const auto& [mine, wanted] : {std::pair{block->first_, first}, std::pair{block->second_, second}})
    for (size_t i = 0; i < 2; ++i)
      tensor::testing::ExpectClose(mine.weights()[i]->value, wanted.weights()[i]->value, kClose, "weight");
}

TEST(CustomLayerTest, TakesSeveralInputsAndIsFrozen) {
  const KerasTensor a = Input({2}), b = Input({2});
  const Custom<Linear> linear(2);
  Layer(linear).set_trainable(false);
  Model model({a, b}, {Custom<TwoInputs>()({linear(a), b})});
  model.compile(SGD({.learning_rate = 1}), "mse");
  const Tensor before = linear.weights()[0]->value.Clone();
  const Tensor x = RandomTensor(DType::kFloat32, {4, 2}, 1);
  model.fit(std::vector<Tensor>{x, x}, {x}, {.verbose = 0});
  EXPECT_EQ(Values(linear.weights()[0]->value), Values(before));
}

TEST(CustomLayerTest, AddsToTheLoss) {
  const KerasTensor input = Input({2});
  Model model(input, Custom<Penalized>()(input));
  model.compile("sgd", "mse");
  const Tensor x = Tensor::FromVector(std::vector<float>{1, 2, 3, 0}, {2, 2});
  EXPECT_NEAR(model.test_on_batch(x, x).At("loss"), 3 * 14.0 / 4, 1e-5);
}

TEST(CustomLayerTest, SaysWhatIsWrong) {
  struct Nothing : CustomLayer {};
  EXPECT_THAT(MessageOf([] { Custom<Nothing>()(Input({2})); }), HasSubstr("its class has no call(const KerasTensor&)"));
  struct Late : CustomLayer {
    KerasTensor call(const KerasTensor& x) override { return x * add_weight("w", {2}); }
  };
  EXPECT_THAT(MessageOf([] { Custom<Late>()(Input({2})); }), HasSubstr("add_weight(\"w\") outside of build()"));
  struct Foreign : CustomLayer {
    explicit Foreign(KerasTensor other) : other_(std::move(other)) {}
    KerasTensor call(const KerasTensor& x) override { return x + other_; }
    KerasTensor other_;
  };
  const KerasTensor other = Input({2}, "other");
  EXPECT_THAT(MessageOf([&] { Custom<Foreign>{other}(Input({2})); }), HasSubstr("depends on the input \"other\""));
  EXPECT_THAT(MessageOf([] { ops::matmul(Input({3}), Input({4})); }),
              HasSubstr("matmul: found factors of shapes (None, 3) and (None, 4)"));
  Sequential model({Custom<Linear>(2, LayerOptions{.input_shape = {2}})});
  EXPECT_THAT(MessageOf([&] { model.save("/tmp/never.h5"); }), HasSubstr("save_weights()"));
}

TEST(Operations, StandBetweenLayers) {
  const KerasTensor input = Input({2, 3});
  const KerasTensor scaled = ops::arange(3) * input + 1;
  Model model(input, ops::sum(ops::transpose(scaled, {0, 2, 1}), -1));
  EXPECT_EQ(model.output_shape(), Shape({-1, 3}));
  const Tensor x = Tensor::FromVector(std::vector<float>{1, 2, 3, 4, 5, 6}, {1, 2, 3});
  EXPECT_THAT(Values(model.predict(x)), ElementsAre(2, 9, 20));
}

TEST(Operations, KnowTheBatchInShapes) {
  const KerasTensor x = Input({6, 4});
  EXPECT_EQ(ops::reshape(x, {-1, 8}).shape().ToString(), "(None, 8)");
  EXPECT_EQ(ops::reshape(ops::reshape(x, {-1, 4}), {-1, 6, 4}).shape(), x.shape());
  EXPECT_EQ(ops::reshape(x, {-1, -1, 3}).shape(), Shape({-1, 8, 3}));
  EXPECT_THAT(MessageOf([&] { ops::reshape(x, {-1, 7}); }), HasSubstr("wanted a shape of as many elements"));
  const Tensor rows = RandomTensor(DType::kFloat32, {3, 6, 4}, 1);
  Model model(x, ops::reshape(ops::reshape(x, {-1, 4}) * 2, {-1, 24}));
  const Tensor y = model.predict(rows);
  EXPECT_EQ(y.shape(), Shape({3, 24}));
  EXPECT_FLOAT_EQ(y.data<float>()[71], 2 * rows.data<float>()[71]);
}

TEST(LambdaTest, IsAFunctionAsALayer) {
  Sequential model({Lambda([](const KerasTensor& x) { return ops::square(x) - 1; }, {.input_shape = {2}})});
  EXPECT_EQ(model.layers()[0].name(), "lambda");
  EXPECT_THAT(Values(model.predict(Tensor::FromVector(std::vector<float>{2, 3}, {1, 2}))), ElementsAre(3, 8));
}

TEST(OwnLoss, IsWeightedAndReducedAsAnyOther) {
  const auto squares = [](const KerasTensor& y_true, const KerasTensor& y_pred) {
    return ops::mean(ops::square(y_true - y_pred), -1);
  };
  const KerasTensor input = Input({2});
  Model own(input, Activation("linear")(input)), known(input, Activation("linear")(input));
  own.compile("sgd", squares, {Metric(squares, {.name = "squares"}), "mse"});
  known.compile("sgd", "mse");
  const Tensor x = RandomTensor(DType::kFloat32, {5, 2}, 1), y = RandomTensor(DType::kFloat32, {5, 2}, 2);
  EvaluateOptions weighted{.verbose = 0};
  weighted.sample_weight = RandomTensor(DType::kFloat32, {5}, 3);
  const Logs logs = own.evaluate(x, y, weighted);
  EXPECT_NEAR(logs.At("loss"), known.evaluate(x, y, weighted).At("loss"), 1e-5);
  EXPECT_NEAR(logs.At("squares"), logs.At("mse"), 1e-5);
}

// Targets that a model makes itself, as in distillation: nothing is trained through them.
TEST(OwnLoss, TakesTargetsBehindStopGradient) {
  const KerasTensor input = Input({3});
  Model model(input, Dense(4)(input));
  const auto loss = [](const KerasTensor&, const KerasTensor& y_pred) {
    return ops::categorical_crossentropy(ops::softmax(ops::stop_gradient(2 * y_pred)), y_pred, true);
  };
  model.compile("sgd", loss);
  const Tensor x = RandomTensor(DType::kFloat32, {5, 3}, 1), y = Tensor::Zeros(DType::kFloat32, {5, 4});
  const std::vector<float> before = Values(model.weights()[0]->value);
  EXPECT_GT(model.train_on_batch(x, y).At("loss"), 0);
  EXPECT_NE(Values(model.weights()[0]->value), before);
}

TEST(OwnLoss, TrainsUnderMixedPrecision) {
  const auto absolute = [](const KerasTensor& y_true, const KerasTensor& y_pred) {
    return ops::mean(ops::abs(y_true - y_pred), -1);
  };
  Sequential model({Custom<Linear>(1, LayerOptions{.input_shape = {2}}), Lambda([](const KerasTensor& x) {
                      return x * ops::convert_to_tensor(Tensor::FromVector(std::vector<float>{2}, {1}));
                    })},
                   {.seed = 4});
  model.compile(SGD({.learning_rate = 0.05f}), absolute, {}, {.policy = "mixed_bfloat16"});
  const Tensor x = RandomTensor(DType::kFloat32, {64, 2}, 1);
  Tensor y(DType::kFloat32, {64, 1});
  for (int64_t i = 0; i < 64; ++i) y.data<float>()[i] = x.data<float>()[2 * i] - x.data<float>()[2 * i + 1];
  const History history = model.fit(x, y, {.epochs = 10, .verbose = 0});
  EXPECT_LT(history["loss"].back(), 0.5 * history["loss"].front());
}

TEST(OwnLoss, RefusesTargetsThatACrossentropyCannotRead) {
  const KerasTensor column = Input({1}), scores = Input({4}), labels = ops::sum(scores, -1);
  EXPECT_THAT(MessageOf([&] { ops::categorical_crossentropy(labels, scores); }),
              HasSubstr("categorical_crossentropy: found targets of shape (None,) for predictions of shape (None, 4), "
                        "wanted targets of shape (None, 4)"));
  EXPECT_THAT(MessageOf([&] { ops::sparse_categorical_crossentropy(scores, scores); }),
              HasSubstr("wanted targets of shape (None,)"));
  EXPECT_THAT(MessageOf([&] { ops::categorical_crossentropy(ops::zeros({}), ops::zeros({})); }),
              HasSubstr("wanted an axis of classes"));
  EXPECT_EQ(ops::sparse_categorical_crossentropy(labels, scores).shape(), Shape({-1}));
  EXPECT_EQ(ops::sparse_categorical_crossentropy(column, scores).shape(), Shape({-1}));
}

// Of three types under mixed precision: the condition's, a constant's and float32.
TEST(Operations, ChooseBetweenValuesOfOneType) {
  const KerasTensor x = Input({4});
  Model model(x, ops::where(x > 0, 0, ops::argmax(x, -1, true) + 300.0f));
  model.compile("sgd", "mse", {}, {.policy = "mixed_bfloat16"});
  const Tensor y = model.predict(Tensor::FromVector(std::vector<float>{1, -1, 5, -2, -1, 2, -3, -4}, {2, 4}));
  EXPECT_THAT(Values(y), ElementsAre(0, 302, 0, 302, 301, 0, 301, 301));
}

TEST(OwnLoss, RefusesLayersThatNoModelHasMade) {
  const KerasTensor input = Input({3});
  Model model(input, Dense(2)(input));
  const Dense late(2);
  model.compile("sgd", [late](const KerasTensor& y_true, const KerasTensor& y_pred) {
    return ops::mean(ops::square(late(y_true) - late(y_pred)), -1);
  });
  const Tensor x = RandomTensor(DType::kFloat32, {5, 3}, 1), y = RandomTensor(DType::kFloat32, {5, 2}, 2);
  EXPECT_THAT(MessageOf([&] { model.train_on_batch(x, y); }),
              HasSubstr("found a weight \"kernel\" without a value, wanted layers of a model"));
}

// Numbers of classes go to a crossentropy of one's own loss, as they do to the one that comes with the library.
TEST(OwnLoss, TakesNumbersOfClasses) {
  const auto crossentropy = [](const KerasTensor& y_true, const KerasTensor& y_pred) {
    return ops::sparse_categorical_crossentropy(y_true, y_pred);
  };
  const KerasTensor input = Input({3});
  const Dense dense(4, {.activation = "softmax"});
  Model own(input, dense(input)), known(input, dense(input));
  own.compile("sgd", crossentropy, {Metric(crossentropy, {.name = "crossentropy"})});
  known.compile("sgd", "sparse_categorical_crossentropy");
  const Tensor x = RandomTensor(DType::kFloat32, {5, 3}, 1),
               y = Tensor::FromVector(std::vector<int64_t>{3, 0, 1, 2, 3}, {5});
  const double wanted = known.test_on_batch(x, y).At("loss");
  for (const Tensor& labels : {y, y.Reshape({5, 1})}) {
    const Logs logs = own.test_on_batch(x, labels);
    EXPECT_NEAR(logs.At("loss"), wanted, 1e-6);
    EXPECT_NEAR(logs.At("crossentropy"), wanted, 1e-6);
  }
}

TEST(OwnLoss, IsAFunctionThatCanBeCalled) {
  using Function = std::function<KerasTensor(const KerasTensor&, const KerasTensor&)>;
  EXPECT_THAT(MessageOf([] { Loss(Function(), {.name = "mine"}); }), HasSubstr("mine: found an empty function"));
  EXPECT_THAT(MessageOf([] { Metric(Function(), {.name = "mine"}); }), HasSubstr("mine: found an empty function"));
  EXPECT_THAT(MessageOf([] { Lambda(nullptr); }), HasSubstr("Lambda: found an empty function"));
}

TEST(Operations, JoinPartsInTheWidestOfTheirTypes) {
  const KerasTensor x = Input({1});
  const KerasTensor number = ops::argmax(ops::concatenate({x, x}), -1, true) + 257.0f;  // float32 under any policy
  Model model(x, ops::concatenate({x, number, x}));
  model.compile("sgd", "mse", {}, {.policy = "mixed_bfloat16"});
  EXPECT_THAT(Values(model.predict(Tensor::FromVector(std::vector<float>{1, 2}, {2, 1}))),
              ElementsAre(1, 257, 1, 2, 257, 2));
}

TEST(Operations, CountBeyondWhatBfloat16Holds) {
  const KerasTensor x = Input({301});
  Model model(x, ops::count_nonzero(x, -1) + 0.0f);
  model.compile("sgd", "mse", {}, {.policy = "mixed_bfloat16"});
  Tensor ones(DType::kFloat32, {1, 301});
  std::fill_n(ones.data<float>(), 301, 1.0f);
  EXPECT_THAT(Values(model.predict(ones)), ElementsAre(301));
}

TEST(Operations, RefuseNumbersOfRowsInBfloat16) {
  const KerasTensor x = Input({2});
  Model model(x, ops::take(ops::convert_to_tensor(Tensor::Zeros(DType::kFloat32, {400, 3})), x));
  model.compile("sgd", "mse", {}, {.policy = "mixed_bfloat16"});
  EXPECT_THAT(MessageOf([&] {
                model.predict(Tensor::Zeros(DType::kFloat32, {1, 2}));
              }),
              HasSubstr("found numbers of rows in bfloat16"));
}

TEST(Operations, NormalizeAsKerasDoes) {
  const KerasTensor x = Input({2});
  Model model(x, ops::normalize(x));
  EXPECT_THAT(Values(model.predict(Tensor::FromVector(std::vector<float>{3, 4, 3e-8f, 4e-8f, 0, 0}, {3, 2}))),
              Pointwise(::testing::FloatNear(1e-6), {0.6f, 0.8f, 0.3f, 0.4f, 0.0f, 0.0f}));
}

// A scalar and a vector, in both orders.
TEST(CustomLayerTest, IsTracedForEachListOfShapes) {
  struct First : CustomLayer {
    KerasTensor call(const std::vector<KerasTensor>& x) override { return x[0]; }
  };
  const Custom<First> first;
  const KerasTensor scalar = ops::zeros({}), vector = ops::zeros({3});
  EXPECT_EQ(first({scalar, vector}).shape(), Shape());
  EXPECT_EQ(first({vector, scalar}).shape(), Shape({3}));
}

TEST(CustomLayerTest, BuildsAnewWhenBuildHasThrown) {
  struct Picky : CustomLayer {
    void build(const Shape& input) override {
      kernel_ = add_weight("kernel", {input.dims().back()});
      if (input.rank() != 2) throw std::runtime_error("two dimensions, please");
    }
    KerasTensor call(const KerasTensor& x) override { return x * kernel_; }
    KerasTensor outside() { return add_weight("late", {1}); }
    KerasTensor kernel_;
  };
  const Custom<Picky> layer;
  EXPECT_THROW(layer(Input({2, 3})), std::runtime_error);
  EXPECT_THAT(MessageOf([&] { layer->outside(); }), HasSubstr("outside of build()"));
  layer(Input({3}));
  EXPECT_EQ(layer.weights().size(), 1u);
}

TEST(CustomLayerTest, HasTrainableWeightsFirst) {
  class Mixed : public CustomLayer {
   public:
    void build(const Shape& input) override {
      state_ = add_weight("state", {input.dims().back()}, {.initializer = "zeros", .trainable = false});
      scale_ = add_weight("scale", {input.dims().back()}, {.initializer = "ones"});
    }
    KerasTensor call(const KerasTensor& x) override { return dense_(normal_(x * scale_ + state_)); }

   private:
    KerasTensor state_, scale_;
    BatchNormalization normal_;
    Dense dense_{2};
  };
  const Custom<Mixed> mixed;
  const KerasTensor input = Input({2});
  const Model model(input, mixed(input));
  std::vector<std::string> names;
  for (const auto& weight : model.weights()) names.push_back(weight->name);
  EXPECT_THAT(names, ElementsAre("mixed/scale", "mixed/batch_normalization/gamma", "mixed/batch_normalization/beta",
                                 "mixed/dense/kernel", "mixed/dense/bias", "mixed/state",
                                 "mixed/batch_normalization/moving_mean", "mixed/batch_normalization/moving_variance"));
}

TEST(CustomLayerTest, SharesALayerWithTheModel) {
  class Wrapped : public CustomLayer {
   public:
    explicit Wrapped(Dense dense) : dense_(std::move(dense)) {}
    KerasTensor call(const KerasTensor& x) override { return dense_(x); }

   private:
    Dense dense_;
  };
  const Dense shared(2, {.use_bias = false, .kernel_regularizer = L2(1)});
  const KerasTensor input = Input({2});
  Model model(input, Custom<Wrapped>(shared)(shared(input)));
  EXPECT_EQ(model.count_params(), 4);
  EXPECT_EQ(model.weights().size(), 1u);
  model.compile(SGD({.learning_rate = 0}), "mse");
  double squares = 0;
  for (const float w : Values(shared.weights()[0]->value)) squares += static_cast<double>(w) * w;
  const Tensor x = Tensor::Zeros(DType::kFloat32, {1, 2});
  EXPECT_NEAR(model.test_on_batch(x, x).At("loss"), squares, 1e-5);
}

// Before anything is trained, not behind the first epoch.
TEST(Checkpoints, OfWhatNoFileKeepsAreRefusedAtOnce) {
  Sequential model({Custom<Linear>(1, LayerOptions{.input_shape = {2}})});
  model.compile("sgd", "mse");
  const Tensor x = RandomTensor(DType::kFloat32, {4, 2}, 1), y = RandomTensor(DType::kFloat32, {4, 1}, 2);
  const std::vector<float> before = Values(model.weights()[0]->value);
  const TemporaryDirectory directory;
  const auto fit = [&](ModelCheckpointOptions options) {
    model.fit(x, y, {.callbacks = {ModelCheckpoint(directory / "model.h5", options)}, .verbose = 0});
  };
  EXPECT_THAT(MessageOf([&] { fit({}); }), HasSubstr("save_weights()"));
  EXPECT_EQ(Values(model.weights()[0]->value), before);
  EXPECT_EQ(MessageOf([&] { fit({.save_weights_only = true}); }), "nothing thrown");
  EXPECT_NE(Values(model.weights()[0]->value), before);
}

// float32 in the middle of a model of mixed precision: layers read the type that they compute in.
TEST(Operations, GiveLayersTheTypeOfThePolicy) {
  const KerasTensor x = Input({4}), cast = ops::cast(x, "float32");
  const Dense dense(4);
  const KerasTensor joined = Concatenate()({x, Add()({cast, x}), Multiply()({x, cast}), dense(cast)});
  const KerasTensor plain = Concatenate()({x, Add()({x, x}), Multiply()({x, x}), dense(x)});
  Model mixed(x, Custom<Block>(3)(joined)), same(x, Lambda([](const KerasTensor&y) { return y; })(plain));
  Model first(x, Lambda([](const KerasTensor& y) { return y; })(joined));
  const Tensor rows = Tensor::FromVector(std::vector<float>{1, -1, 5, -2, -1, 2, -3, -4}, {2, 4});
  for (Model* model : {&mixed, &same, &first}) model->compile("sgd", "mse", {}, {.policy = "mixed_bfloat16"});
  EXPECT_EQ(Values(first.predict(rows)), Values(same.predict(rows)));
  EXPECT_GT(mixed.train_on_batch(rows, Tensor::Zeros(DType::kFloat32, {2, 3})).At("loss"), 0);
}

TEST(Operations, SumUpWithoutTouchingWhatComesBefore) {
  const KerasTensor x = Input({5});
  Model model(x, ops::cumsum(x, 1));
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  EXPECT_THAT(Values(model.predict(Tensor::FromVector(std::vector<float>{1, 2, kInfinite, 4, 5}, {1, 5}))),
              ElementsAre(1, 3, kInfinite, kInfinite, kInfinite));
  EXPECT_THAT(MessageOf([&] { ops::cumsum(x, 0); }), HasSubstr("cumsum: axis: found 0"));
}

// Rows of a weight are read where it lies, not from a copy of all of it.
TEST(Operations, TakeRowsOfAWeight) {
  class Rows : public CustomLayer {
   public:
    explicit Rows(bool by_product) : by_product_(by_product) {}
    void build(const Shape&) override { table_ = add_weight("table", {5, 3}); }
    KerasTensor call(const KerasTensor& x) override {
      return by_product_ ? ops::matmul(ops::one_hot(x, 5), table_) : ops::take(table_, x);
    }

   private:
    bool by_product_;
    KerasTensor table_;
  };
  const KerasTensor x = Input({2});
  Model taken(x, Custom<Rows>(false)(x), {.seed = 1}), multiplied(x, Custom<Rows>(true)(x), {.seed = 1});
  const auto is_lookup = [](const Value& value) { return std::holds_alternative<LookupOp>(value.op); };
  const Graph graph = taken.state().Lower();
  EXPECT_TRUE(std::any_of(graph.values.begin(), graph.values.end(), is_lookup));
  const Tensor rows = Tensor::FromVector(std::vector<float>{4, 0, 2, 4, 1, 1}, {3, 2});
  const Tensor y = RandomTensor(DType::kFloat32, {3, 2, 3}, 2);
  for (Model* model : {&taken, &multiplied}) {
    model->compile(SGD({.learning_rate = 0.5f}), "mse");
    for (int step = 0; step < 3; ++step) model->train_on_batch(rows, y);
  }
  ExpectEqualWeights(taken, multiplied);
}

}  // namespace
}  // namespace headrace::keras
