// Shapes, weights, lowering and misuse of every layer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "headrace/keras.h"

#include "keras/model_state.h"

namespace headrace::keras {
namespace {

using testing::HasSubstr;

// The message of the kInvalidArgument that `build` throws.
template <typename Build>
std::string Misuse(Build build) {
  try {
    build();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.message();
  }
  return "nothing was thrown";
}

Shape OutputOf(const Layer& layer, Shape input) { return layer(Input(std::move(input))).shape(); }

// The operations a layer lowers to on an input of this shape, without the InputOp.
std::vector<Value> Lowered(const Layer& layer, Shape shape) {
  const KerasTensor input = Input(std::move(shape));
  const Model model(input, layer(input));
  const Graph graph = model.state().Lower();
  return {graph.values.begin() + 1, graph.values.end()};
}

std::vector<Shape> WeightShapes(const Layer& layer) {
  std::vector<Shape> shapes;
  for (const auto& spec : layer.state()->specs) shapes.push_back(spec.shape);
  return shapes;
}

TEST(Conv2DLayer, ValidShapeAndWeights) {
  const Conv2D layer(32, {3, 5});
  EXPECT_EQ(OutputOf(layer, {28, 28, 3}), (Shape{-1, 26, 24, 32}));
  EXPECT_EQ(WeightShapes(layer), (std::vector<Shape>{{3, 5, 3, 32}, {32}}));
}

TEST(Conv2DLayer, WithoutBiasHasOneWeight) {
  const Conv2D layer(4, {1, 1}, {.use_bias = false});
  const auto values = Lowered(layer, {8, 8, 2});
  EXPECT_EQ(WeightShapes(layer), (std::vector<Shape>{{1, 1, 2, 4}}));
  EXPECT_FALSE(std::get<Conv2DOp>(values[0].op).use_bias);
  EXPECT_EQ(values[0].variables.size(), 1u);
}

TEST(Conv2DLayer, SamePaddingGoesToBottomAndRight) {
  const auto values = Lowered(Conv2D(4, {3, 4}, {.strides = {2, 1}, .padding = "same"}), {8, 9, 2});
  const auto& op = std::get<Conv2DOp>(values[0].op);
  EXPECT_EQ(values[0].shape, (Shape{-1, 4, 9, 4}));
  EXPECT_EQ(op.pad_top, 0);  // (4 - 1) * 2 + 3 - 8 = 1
  EXPECT_EQ(op.pad_bottom, 1);
  EXPECT_EQ(op.pad_left, 1);  // (9 - 1) + 4 - 9 = 3
  EXPECT_EQ(op.pad_right, 2);
}

TEST(Conv2DLayer, DilationWidensTheWindow) {
  EXPECT_EQ(OutputOf(Conv2D(1, {3, 3}, {.dilation_rate = {2, 3}}), {10, 10, 1}), (Shape{-1, 6, 4, 1}));
  EXPECT_EQ(OutputOf(Conv2D(1, {3, 3}, {.padding = "same", .dilation_rate = {2, 2}}), {7, 7, 1}), (Shape{-1, 7, 7, 1}));
}

TEST(Conv2DLayer, ActivationIsAnOperationOfItsOwn) {
  const auto values = Lowered(Conv2D(4, {3, 3}, {.activation = "relu", .name = "c"}), {8, 8, 2});
  ASSERT_EQ(values.size(), 2u);
  EXPECT_EQ(std::get<ActivationOp>(values[1].op).activation, tensor::Activation::kRelu);
  EXPECT_EQ(values[1].inputs, std::vector<int>{1});
  EXPECT_EQ(values[1].layer, "c");
}

TEST(Conv2DLayer, MisuseIsNamed) {
  EXPECT_EQ(Misuse([] { Conv2D(0, {3, 3}, {.name = "a"}); }), "a: filters: found 0, wanted 1 or more");
  EXPECT_EQ(Misuse([] { Conv2D(1, {3, -3}); }), "Conv2D: kernel_size: found (3, -3), wanted 1 or more in both");
  EXPECT_THAT(Misuse([] { Conv2D(1, {3, 3}, {.strides = {0, 1}}); }), HasSubstr("strides: found (0, 1)"));
  EXPECT_THAT(Misuse([] { Conv2D(1, {3, 3}, {.dilation_rate = {1, 0}}); }), HasSubstr("dilation_rate: found (1, 0)"));
  EXPECT_THAT(Misuse([] {
                Conv2D(1, {3, 3}, {.padding = "full"});
              }),
              HasSubstr("padding: found \"full\", wanted \"valid\" or \"same\""));
  EXPECT_THAT(Misuse([] {
                Conv2D(1, {3, 3}, {.activation = "rleu"});
              }),
              HasSubstr("found \"rleu\", wanted one of linear, relu"));
  EXPECT_THAT(Misuse([] {
                Conv2D(1, {3, 3}, {.kernel_initializer = "glorot"});
              }),
              HasSubstr("initializer: found \"glorot\", wanted one of glorot_uniform"));
  EXPECT_THAT(Misuse([] {
                Conv2D(1, {3, 3}, {.strides = {2, 2}, .dilation_rate = {2, 2}});
              }),
              HasSubstr("found strides (2, 2) with dilation_rate (2, 2)"));
  EXPECT_EQ(Misuse([] {
              OutputOf(Conv2D(1, {3, 3}, {.name = "c"}), {64});
            }),
            "c: found an input of shape (None, 64), wanted (batch, height, width, channels)");
  EXPECT_EQ(Misuse([] {
              OutputOf(Conv2D(1, {5, 3}, {.name = "c"}), {4, 4, 1});
            }),
            "c: the window does not fit: found an input of height 4, wanted 5 or more (or padding \"same\")");
}

TEST(Conv2DLayer, SecondCallNeedsTheSameChannels) {
  const Conv2D layer(8, {3, 3}, {.name = "shared"});
  layer(Input({8, 8, 3}));
  layer(Input({16, 16, 3}));
  EXPECT_EQ(Misuse([&] {
              layer(Input({8, 8, 4}));
            }),
            "shared: found an input of shape (None, 8, 8, 4), wanted one for its kernel of shape (3, 3, 3, 8), made by "
            "an earlier call");
}

TEST(DenseLayer, ShapeWeightsAndLowering) {
  const Dense layer(10, {.activation = "softmax"});
  const auto values = Lowered(layer, {512});
  EXPECT_EQ(WeightShapes(layer), (std::vector<Shape>{{512, 10}, {10}}));
  ASSERT_EQ(values.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<DenseOp>(values[0].op));
  EXPECT_EQ(values[1].shape, (Shape{-1, 10}));
}

TEST(DenseLayer, MisuseIsNamed) {
  EXPECT_EQ(Misuse([] { Dense(-1); }), "Dense: units: found -1, wanted 1 or more");
  EXPECT_EQ(OutputOf(Dense(2), {4, 4, 3}), (Shape{-1, 4, 4, 2}));
  EXPECT_THAT(Misuse([] { Dense(2, {.kernel_regularizer = "l3"}); }), HasSubstr("regularizer: found \"l3\""));
}

TEST(BatchNormalizationLayer, WeightsAndLowering) {
  const BatchNormalization layer({.momentum = 0.9f, .epsilon = 1e-5f});
  const auto values = Lowered(layer, {4, 4, 7});
  EXPECT_EQ(WeightShapes(layer), (std::vector<Shape>{{7}, {7}, {7}, {7}}));
  EXPECT_TRUE(layer.weights()[1]->trainable);
  EXPECT_FALSE(layer.weights()[2]->trainable);
  EXPECT_EQ(layer.weights()[3]->name, "batch_normalization/moving_variance");
  EXPECT_EQ(std::get<BatchNormOp>(values[0].op).momentum, 0.9f);
  EXPECT_EQ(layer.weights()[3]->value.data<float>()[6], 1.0f);
}

TEST(BatchNormalizationLayer, FrozenRunsInInferenceMode) {
  BatchNormalization layer;
  layer.set_trainable(false);
  EXPECT_FALSE(std::get<BatchNormOp>(Lowered(layer, {7})[0].op).trainable);
}

TEST(BatchNormalizationLayer, MisuseIsNamed) {
  EXPECT_THAT(Misuse([] { BatchNormalization({.momentum = 1.5f}); }), HasSubstr("momentum: found 1.5"));
  EXPECT_THAT(Misuse([] { BatchNormalization({.epsilon = 0}); }), HasSubstr("epsilon: found 0"));
  EXPECT_THAT(Misuse([] {
                OutputOf(BatchNormalization(), {4, 7});
              }),
              HasSubstr("found an input of shape (None, 4, 7), wanted (batch, channels) or"));
}

TEST(ActivationLayer, EveryNameIsKnown) {
  for (const char* name : {"linear", "relu", "sigmoid", "tanh", "elu", "gelu", "swish", "softmax"}) {
    const auto values = Lowered(Activation(name), {3});
    EXPECT_STREQ(internal::NameOfActivation(std::get<ActivationOp>(values[0].op).activation), name);
  }
  EXPECT_THAT(Misuse([] { Activation("sotfmax", {.name = "last"}); }),
              HasSubstr("last: activation: found \"sotfmax\""));
}

TEST(DropoutLayer, KeepsItsShapeAndChecksItsRate) {
  EXPECT_EQ(std::get<DropoutOp>(Lowered(Dropout(0.2f), {4, 4, 3})[0].op).rate, 0.2f);
  EXPECT_EQ(Misuse([] { Dropout(1.0f); }), "Dropout: rate: found 1, wanted 0 <= rate < 1");
  EXPECT_THAT(Misuse([] { Dropout(-0.1f); }), HasSubstr("rate: found -0.1"));
  EXPECT_THAT(Misuse([] { Dropout(NAN); }), HasSubstr("rate: found nan"));
}

TEST(MaxPooling2DLayer, StridesDefaultToThePool) {
  EXPECT_EQ(OutputOf(MaxPooling2D({2, 3}), {9, 9, 4}), (Shape{-1, 4, 3, 4}));
  const auto values = Lowered(MaxPooling2D({3, 3}, {.strides = {2, 2}, .padding = "same"}), {8, 8, 4});
  const auto& op = std::get<MaxPoolOp>(values[0].op);
  EXPECT_EQ(values[0].shape, (Shape{-1, 4, 4, 4}));
  EXPECT_EQ(op.pad_top, 0);
  EXPECT_EQ(op.pad_bottom, 1);
}

TEST(MaxPooling2DLayer, MisuseIsNamed) {
  EXPECT_THAT(Misuse([] { MaxPooling2D({0, 2}); }), HasSubstr("pool_size: found (0, 2)"));
  EXPECT_THAT(Misuse([] { MaxPooling2D({2, 2}, {.strides = {-1, 2}}); }), HasSubstr("strides: found (-1, 2)"));
  EXPECT_THAT(Misuse([] { MaxPooling2D({2, 2}, {.padding = "x"}); }), HasSubstr("padding: found \"x\""));
  EXPECT_THAT(Misuse([] { OutputOf(MaxPooling2D({4, 4}), {8, 3, 1}); }), HasSubstr("width 3, wanted 4 or more"));
  EXPECT_THAT(Misuse([] { OutputOf(MaxPooling2D(), {8}); }), HasSubstr("found an input of shape (None, 8)"));
}

TEST(GlobalAveragePooling2DLayer, DropsTheImageAxes) {
  EXPECT_EQ(OutputOf(GlobalAveragePooling2D(), {4, 5, 6}), (Shape{-1, 6}));
  EXPECT_THAT(Misuse([] { OutputOf(GlobalAveragePooling2D(), {4}); }), HasSubstr("found an input of shape (None, 4)"));
}

TEST(FlattenLayer, MultipliesTheAxes) {
  EXPECT_EQ(OutputOf(Flatten(), {2, 3, 4}), (Shape{-1, 24}));
  EXPECT_EQ(OutputOf(Flatten(), {5}), (Shape{-1, 5}));
}

TEST(AddLayer, ThreeInputsAreAChain) {
  const KerasTensor input = Input({4, 4, 2});
  const Model model(input, Add()({input, input, input}));
  const Graph graph = model.state().Lower();
  ASSERT_EQ(graph.values.size(), 3u);
  EXPECT_EQ(graph.values[1].inputs, (std::vector<int>{0, 0}));
  EXPECT_EQ(graph.values[2].inputs, (std::vector<int>{1, 0}));
  EXPECT_EQ(graph.output, 2);
}

TEST(AddLayer, MisuseIsNamed) {
  EXPECT_THAT(Misuse([] { Add()(Input({4})); }), HasSubstr("Add: found 1 input, wanted a list of two or more"));
  EXPECT_EQ(Misuse([] {
              Add()({Input({4, 4, 2}), Input({4, 4, 3})});
            }),
            "Add: found inputs of shapes (None, 4, 4, 2) and (None, 4, 4, 3), wanted equal shapes");
  EXPECT_THAT(Misuse([] { Add()(std::vector<KerasTensor>{}); }), HasSubstr("called without an input"));
}

TEST(ZeroPadding2DLayer, AddsItsBorders) {
  const auto values = Lowered(ZeroPadding2D({{{1, 2}, {3, 4}}}), {5, 5, 2});
  EXPECT_EQ(values[0].shape, (Shape{-1, 8, 12, 2}));
  EXPECT_EQ(std::get<ZeroPadOp>(values[0].op).right, 4);
  EXPECT_THAT(Misuse([] { ZeroPadding2D({{{1, -2}, {0, 0}}}); }), HasSubstr("padding: found ((1, -2), (0, 0))"));
}

TEST(InputLayer, MisuseIsNamed) {
  EXPECT_THAT(Misuse([] { Input({32, 0, 3}); }), HasSubstr("input shape: found (32, 0, 3)"));
  EXPECT_THAT(Misuse([] { Input({}); }), HasSubstr("input shape: found none"));
}

TEST(Layers, OneInputLayersRefuseTwo) {
  EXPECT_THAT(Misuse([] { Flatten()({Input({4}), Input({4})}); }), HasSubstr("Flatten: found 2 inputs, wanted one"));
}

// What a layer writes into model_config makes the same layer again.
TEST(Layers, ConfigurationsRoundTrip) {
  const std::vector<Layer> layers = {Conv2D(3, {3, 5},
                                            {.strides = {2, 1},
                                             .padding = "same",
                                             .activation = "tanh",
                                             .use_bias = false,
                                             .kernel_initializer = "he_normal"}),
                                     Dense(7, {.activation = "gelu", .kernel_initializer = "lecun_uniform"}),
                                     BatchNormalization({.momentum = 0.9f, .epsilon = 1e-4f}),
                                     Activation("swish"),
                                     Dropout(0.3f),
                                     MaxPooling2D({3, 2}, {.strides = {1, 2}, .padding = "same"}),
                                     GlobalAveragePooling2D(),
                                     Flatten(),
                                     Add(),
                                     ZeroPadding2D({{{1, 2}, {3, 4}}})};
  for (const Layer& layer : layers) {
    nlohmann::json config = layer.state()->Config();
    config["name"] = "x";
    config["trainable"] = false;
    const auto again = internal::LayerFromConfig(layer.class_name(), config);
    EXPECT_EQ(again->ClassName(), layer.class_name());
    EXPECT_EQ(again->Config(), layer.state()->Config());
    EXPECT_EQ(again->name, "x");
    EXPECT_FALSE(again->trainable);
  }
}

TEST(Layers, FloatsKeepTheirShortText) { EXPECT_EQ(Dropout(0.3f).state()->Config()["rate"].dump(), "0.3"); }

TEST(Layers, ConfigurationsWeDoNotImplementAreRefused) {
  const auto load = [](const char* class_name, const char* config) {
    return Misuse([&] { internal::LayerFromConfig(class_name, nlohmann::json::parse(config)); });
  };
  EXPECT_THAT(load("LSTM", "{}"), HasSubstr("layer class: found \"LSTM\", wanted one of Activation, Add"));
  EXPECT_THAT(load("Conv2D", R"({"name": "c", "filters": 2, "kernel_size": 3, "groups": 2})"),
              HasSubstr("c: groups: found 2, only 1 is supported"));
  EXPECT_THAT(load("Dense", R"({"name": "d", "units": 2,
                                "kernel_regularizer": {"class_name": "OrthogonalRegularizer", "config": {}}})"),
              HasSubstr("d: kernel_regularizer: found OrthogonalRegularizer"));
  EXPECT_THAT(load("Dense", R"({"units": "many"})"), HasSubstr("configuration of a Dense layer"));
  EXPECT_THAT(load("MaxPooling2D", R"({"name": "p", "data_format": "channels_first"})"),
              HasSubstr("data_format: found \"channels_first\""));
}

}  // namespace
}  // namespace headrace::keras
