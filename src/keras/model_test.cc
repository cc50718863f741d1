// Building models: graphs, names, initial weights, compile().
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "headrace/keras.h"

#include "keras/model_state.h"

namespace headrace::keras {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <typename Build>
std::string Misuse(Build build, ErrorCode code = ErrorCode::kInvalidArgument) {
  try {
    build();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    return error.message();
  }
  return "nothing was thrown";
}

std::vector<std::string> LayerNames(const Model& model) {
  std::vector<std::string> names;
  for (const Layer& layer : model.layers()) names.push_back(layer.name());
  return names;
}

std::vector<std::string> WeightNames(const std::vector<VariablePtr>& weights) {
  std::vector<std::string> names;
  for (const auto& weight : weights) names.push_back(weight->name);
  return names;
}

std::vector<float> Values(const Layer& layer, size_t weight = 0) {
  const Tensor& value = layer.weights()[weight]->value;
  return {value.data<float>(), value.data<float>() + value.size()};
}

Sequential SmallModel(int64_t seed = 1) {
  return Sequential({Conv2D(4, {3, 3}, {.input_shape = {8, 8, 3}}), BatchNormalization(), Activation("relu"), Flatten(),
                     Dense(5), Dense(2)},
                    {.seed = seed});
}

TEST(SequentialModel, NamesLayersAndWeightsAsKeras) {
  const Sequential model = SmallModel();
  EXPECT_EQ(model.name(), "sequential");
  EXPECT_THAT(LayerNames(model),
              ElementsAre("conv2d", "batch_normalization", "activation", "flatten", "dense", "dense_1"));
  EXPECT_THAT(WeightNames(model.weights()),
              ElementsAre("conv2d/kernel", "conv2d/bias", "batch_normalization/gamma", "batch_normalization/beta",
                          "batch_normalization/moving_mean", "batch_normalization/moving_variance", "dense/kernel",
                          "dense/bias", "dense_1/kernel", "dense_1/bias"));
  EXPECT_EQ(model.input_shape(), (Shape{-1, 8, 8, 3}));
  EXPECT_EQ(model.output_shape(), (Shape{-1, 2}));
  EXPECT_EQ(model.state().input()->layer->name, "conv2d_input");
  EXPECT_EQ(model.count_params(), 3 * 3 * 3 * 4 + 4 + 4 * 4 + 144 * 5 + 5 + 5 * 2 + 2);
}

TEST(SequentialModel, SnakeCasesEveryClass) {
  const Sequential model({ZeroPadding2D({{{1, 1}, {1, 1}}}, {.input_shape = {8, 8, 3}}), MaxPooling2D(),
                          GlobalAveragePooling2D(), Dropout(0.5f)});
  EXPECT_THAT(LayerNames(model), ElementsAre("zero_padding2d", "max_pooling2d", "global_average_pooling2d", "dropout"));
}

TEST(SequentialModel, AutomaticNamesAvoidGivenOnes) {
  Sequential model;
  model.add(Dense(3, {.name = "dense_1", .input_shape = {4}}));
  model.add(Dense(3));
  model.add(Dense(3));
  EXPECT_THAT(LayerNames(model), ElementsAre("dense_1", "dense", "dense_2"));
}

TEST(SequentialModel, MisuseIsNamed) {
  EXPECT_THAT(Misuse([] { Sequential model({Dense(3)}); }),
              HasSubstr("dense: the first layer of a Sequential: found no input_shape"));
  EXPECT_THAT(Misuse([] {
                Sequential model({Dense(3, {.name = "d", .input_shape = {4}}), Dense(3, {.name = "d"})});
              }),
              HasSubstr("found two layers named \"d\""));
  const Dense dense(4, {.input_shape = {4}});
  EXPECT_THAT(Misuse([&] { Sequential model({dense, dense}); }), HasSubstr("dense: found in this Sequential already"));
  EXPECT_THAT(Misuse([] {
                Sequential({Conv2D(1, {3, 3}, {.input_shape = {8, 8, 1}}), Conv2D(1, {7, 3})});
              }),
              HasSubstr("conv2d_1: the window does not fit: found an input of height 6"));
  EXPECT_THAT(Misuse([] { Sequential().summary(); }, ErrorCode::kFailedPrecondition), HasSubstr("without layers"));
}

TEST(SequentialModel, AFailedAddChangesNothing) {
  Sequential model({Dense(3, {.input_shape = {4}})});
  const Conv2D conv(1, {3, 3});
  EXPECT_THAT(Misuse([&] { model.add(conv); }), HasSubstr("conv2d: found an input of shape (None, 3)"));
  EXPECT_EQ(conv.name(), "");
  EXPECT_EQ(model.layers().size(), 1u);
}

TEST(SequentialModel, AddingUndoesCompile) {
  Sequential model({Dense(3, {.input_shape = {4}})});
  model.compile("sgd", "categorical_crossentropy");
  model.add(Dense(2));
  EXPECT_THAT(Misuse([&] { model.optimizer(); }, ErrorCode::kFailedPrecondition), HasSubstr("compile()"));
}

TEST(InitialWeights, FollowTheSeed) {
  EXPECT_EQ(Values(SmallModel(3).layers()[0]), Values(SmallModel(3).layers()[0]));
  EXPECT_NE(Values(SmallModel(3).layers()[0]), Values(SmallModel(4).layers()[0]));
  EXPECT_NE(Values(SmallModel(-1).layers()[0]), Values(SmallModel(-1).layers()[0]));
}

TEST(InitialWeights, DifferFromLayerToLayer) {
  const Sequential model({Dense(4, {.input_shape = {4}}), Dense(4)}, {.seed = 1});
  EXPECT_NE(Values(model.layers()[0]), Values(model.layers()[1]));
}

TEST(InitialWeights, OfAnotherModelAreSharedNotReset) {
  const Dense dense(4, {.input_shape = {4}});
  const Sequential first({dense}, {.seed = 1});
  const std::vector<float> before = Values(dense);
  const KerasTensor input = Input({4});
  const Model second(input, dense(input), {.seed = 2});
  EXPECT_EQ(Values(dense), before);
  EXPECT_EQ(first.weights()[0], second.weights()[0]);
}

// x -> a -> b -> add(b, shortcut(x)): Keras's order goes by distance from the output, then by the walk.
TEST(FunctionalModel, OrdersLayersAsKeras) {
  const KerasTensor input = Input({8, 8, 3});
  const KerasTensor shortcut = Conv2D(4, {1, 1}, {.name = "shortcut"})(input);
  KerasTensor x = Conv2D(4, {3, 3}, {.padding = "same", .name = "a"})(input);
  x = Conv2D(4, {3, 3}, {.padding = "same", .name = "b"})(x);
  const Model model(input, Add({.name = "sum"})({x, shortcut}));
  EXPECT_EQ(model.name(), "functional");
  EXPECT_THAT(LayerNames(model), ElementsAre("a", "b", "shortcut", "sum"));
  EXPECT_EQ(model.state().input()->layer->name, "input_1");
  const Graph graph = model.state().Lower();
  EXPECT_EQ(graph.values[4].inputs, (std::vector<int>{2, 3}));
  EXPECT_EQ(graph.output, 4);
}

TEST(FunctionalModel, ALayerCalledTwiceIsOneLayer) {
  const KerasTensor input = Input({4});
  const Dense dense(4);
  const Model model(input, dense(dense(input)));
  EXPECT_THAT(LayerNames(model), ElementsAre("dense"));
  EXPECT_EQ(model.weights().size(), 2u);
  EXPECT_EQ(model.state().Lower().values.size(), 3u);
}

TEST(FunctionalModel, MisuseIsNamed) {
  const KerasTensor a = Input({4}), b = Input({4});
  EXPECT_THAT(Misuse([&] { Model(a, Dense(2)(b)); }), HasSubstr("another input of shape (None, 4)"));
  EXPECT_THAT(Misuse([&] { Model(a, Add()({a, b})); }), HasSubstr("another input of shape (None, 4)"));
  EXPECT_THAT(Misuse([&] { Model(a, a); }), HasSubstr("no layer between input and output"));
  const KerasTensor inner = Dense(2, {.name = "d"})(a);
  EXPECT_THAT(Misuse([&] { Model(inner, Dense(3)(inner)); }), HasSubstr("found the output of layer d as input"));
  EXPECT_THAT(Misuse([&] { Model(a, Dense(2, {.name = "x"})(Dense(2, {.name = "x"})(a))); }),
              HasSubstr("found two layers named \"x\""));
}

TEST(Model, GetLayerListsTheNames) {
  const Sequential model = SmallModel();
  EXPECT_EQ(model.get_layer("dense").class_name(), "Dense");
  EXPECT_THAT(Misuse([&] { model.get_layer("dens"); }, ErrorCode::kNotFound),
              HasSubstr("no layer named \"dens\"; there are conv2d, batch_normalization"));
}

TEST(Compile, ChecksWhatItIsGiven) {
  Sequential model = SmallModel();
  EXPECT_THAT(Misuse([&] { model.compile("adam_w", "categorical_crossentropy"); }), HasSubstr("found \"adam_w\""));
  EXPECT_THAT(Misuse([&] { model.compile("adam", "mean_square"); }), HasSubstr("found \"mean_square\""));
  EXPECT_THAT(Misuse([&] { model.compile("adam", "categorical_crossentropy", {"auk"}); }), HasSubstr("found \"auk\""));
  EXPECT_THAT(Misuse([&] { model.compile("adam", "categorical_crossentropy", {}, {.policy = "float16"}); }),
              HasSubstr("policy: found \"float16\""));
  EXPECT_THAT(Misuse([&] { model.compile("adam", CategoricalCrossentropy({.label_smoothing = 1.5f})); }),
              HasSubstr("label_smoothing: found 1.5"));
  EXPECT_THAT(Misuse([&] { model.compile("adam", Huber({.reduction = "none"})); }),
              HasSubstr("reduction: found \"none\""));
  Sequential one({Dense(1, {.activation = "sigmoid", .input_shape = {8}})});
  for (const char* loss : {"categorical_crossentropy", "sparse_categorical_crossentropy"})
    EXPECT_THAT(Misuse([&] { one.compile("adam", loss); }),
                HasSubstr("one number a row goes with \"binary_crossentropy\""));
}

TEST(Compile, DecidesWhatTrains) {
  Sequential model = SmallModel();
  model.get_layer("batch_normalization").set_trainable(false);
  model.get_layer("dense").set_trainable(false);
  model.compile("sgd", "categorical_crossentropy", {"accuracy"});
  model.get_layer("dense").set_trainable(true);
  model.get_layer("batch_normalization").set_trainable(true);
  EXPECT_THAT(WeightNames(model.state().TrainableWeights()),
              ElementsAre("conv2d/kernel", "conv2d/bias", "dense_1/kernel", "dense_1/bias"));
  EXPECT_FALSE(std::get<BatchNormOp>(model.state().Lower().values[2].op).trainable);
}

TEST(Compile, SlotsFollowTheOptimizer) {
  const auto slots = [](Optimizer optimizer) {
    Sequential model = SmallModel();
    model.compile(optimizer, "categorical_crossentropy");
    model.state().EnsureSlots();
    std::vector<std::string> names;
    for (const auto& slot : optimizer.state()->slots) {
      names.push_back(slot.name);
      EXPECT_EQ(slot.values.size(), 8u);
      EXPECT_EQ(slot.values[0].shape(), (Shape{3, 3, 3, 4}));
      EXPECT_EQ(slot.values[0].data<float>()[0], 0);
    }
    return names;
  };
  EXPECT_THAT(slots(SGD()), ElementsAre());
  EXPECT_THAT(slots(SGD({.momentum = 0.9f})), ElementsAre("momentum"));
  EXPECT_THAT(slots(RMSprop()), ElementsAre("velocity"));
  EXPECT_THAT(slots(RMSprop({.momentum = 0.9f})), ElementsAre("velocity", "momentum"));
  EXPECT_THAT(slots(Adam()), ElementsAre("momentum", "velocity"));
}

TEST(Compile, AnOptimizerServesOneSetOfVariables) {
  const Adam adam;
  Sequential first = SmallModel(), second({Dense(3, {.input_shape = {4}})});
  first.compile(adam, "categorical_crossentropy");
  first.state().EnsureSlots();
  second.compile(adam, "categorical_crossentropy");
  EXPECT_THAT(Misuse([&] { second.state().EnsureSlots(); }, ErrorCode::kFailedPrecondition),
              HasSubstr("the state of other variables"));
}

TEST(Optimizers, CheckTheirNumbers) {
  EXPECT_THAT(Misuse([] { SGD({.learning_rate = -1}); }), HasSubstr("SGD: learning_rate: found -1"));
  EXPECT_THAT(Misuse([] { SGD({.momentum = 2}); }), HasSubstr("SGD: momentum: found 2"));
  EXPECT_THAT(Misuse([] { RMSprop({.rho = 1}); }), HasSubstr("RMSprop: rho: found 1"));
  EXPECT_THAT(Misuse([] { Adam({.beta_1 = -0.5f}); }), HasSubstr("Adam: beta_1: found -0.5"));
  EXPECT_THAT(Misuse([] { Adam({.decay = -1}); }), HasSubstr("Adam: decay: found -1"));
  EXPECT_THAT(Misuse([] { Adam().set_learning_rate(NAN); }), HasSubstr("Adam: learning_rate: found nan"));
  EXPECT_EQ(Optimizer("Adam").name(), "adam");
  EXPECT_FLOAT_EQ(Optimizer("sgd").learning_rate(), 0.01f);
}

}  // namespace
}  // namespace headrace::keras
