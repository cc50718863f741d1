// Files written and read back; files that are damaged or of something else. Files of Keras itself:
// tests/tensorflow/test_hdf5.py.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/testing/temporary_directory.h"
#include "keras/hdf5/file.h"
#include "keras/hdf5/model_config.h"
#include "keras/hdf5/training_config.h"
#include "keras/losses/loss_state.h"
#include "keras/model_state.h"

namespace headrace::keras::internal {
namespace {

using testing::HasSubstr;

class CheckpointTest : public testing::Test {
 protected:
  std::string Path(const std::string& name) const { return directory_ / name; }

  // The message of the Error that loading `path` into `model` throws.
  std::string Refusal(const Model& model, const std::string& path, ErrorCode code) const {
    return Thrown([&] { LoadWeights(model.state(), path); }, code);
  }
  template <typename Run>
  static std::string Thrown(const Run& run, ErrorCode code) {
    try {
      run();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.message();
      return error.message();
    }
    return "nothing was thrown";
  }

  TemporaryDirectory directory_;
};

Sequential Network(int64_t seed, int64_t units = 5) {
  return Sequential(
      {Conv2D(4, {3, 3}, {.padding = "same", .activation = "relu", .input_shape = {8, 8, 3}}), BatchNormalization(),
       MaxPooling2D(), Dropout(0.25f), Flatten(), Dense(units), Activation("softmax")},
      {.seed = seed});
}

std::vector<float> Values(const Tensor& tensor) { return {tensor.data<float>(), tensor.data<float>() + tensor.size()}; }

std::vector<std::vector<float>> Weights(const ModelState& state) {
  std::vector<std::vector<float>> values;
  for (const auto& weight : state.Weights()) values.push_back(Values(weight->value));
  return values;
}

// Makes the optimizer look trained: every slot value differs.
void FillSlots(ModelState& state, int64_t iterations) {
  state.EnsureSlots();
  OptimizerState& optimizer = *state.compiled->optimizer.state();
  optimizer.iterations = iterations;
  float next = 0.5f;
  for (Slot& slot : optimizer.slots)
    for (Tensor& value : slot.values)
      for (int64_t i = 0; i < value.size(); ++i) value.data<float>()[i] = next += 0.25f;
}

std::vector<std::vector<float>> SlotValues(const ModelState& state) {
  std::vector<std::vector<float>> values;
  for (const Slot& slot : state.compiled->optimizer.state()->slots)
    for (const Tensor& value : slot.values) values.push_back(Values(value));
  return values;
}

TEST_F(CheckpointTest, WeightsComeBackFromEitherFile) {
  const Sequential model = Network(1);
  SaveModel(model.state(), Path("model.h5"), "");
  SaveWeights(model.state(), Path("weights.h5"));
  for (const char* name : {"model.h5", "weights.h5"}) {
    const Sequential other = Network(2);
    ASSERT_NE(Weights(other.state()), Weights(model.state()));
    LoadWeights(other.state(), Path(name));
    EXPECT_EQ(Weights(other.state()), Weights(model.state()));
  }
}

TEST_F(CheckpointTest, OptimizerStateComesBack) {
  for (const Optimizer& optimizer : {Optimizer(Adam()), Optimizer(SGD({.momentum = 0.9f})), Optimizer(RMSprop()),
                                     Optimizer(RMSprop({.momentum = 0.9f})), Optimizer("sgd")}) {
    Sequential model = Network(1);
    model.compile(optimizer, "categorical_crossentropy", {"accuracy"});
    FillSlots(model.state(), 42);
    model.optimizer().set_learning_rate(0.125f);
    SaveModel(model.state(), Path("model.h5"), "patience 3");

    const auto loaded = LoadModelFile(Path("model.h5"));
    ASSERT_TRUE(loaded->compiled);
    EXPECT_EQ(loaded->compiled->optimizer.iterations(), 42);
    EXPECT_EQ(loaded->compiled->optimizer.learning_rate(), 0.125f);
    EXPECT_EQ(loaded->compiled->optimizer.name(), optimizer.name());
    ASSERT_EQ(loaded->compiled->columns.size(), 1u);
    EXPECT_EQ(loaded->compiled->columns[0].name, "accuracy");
    EXPECT_EQ(SlotValues(*loaded), SlotValues(model.state()));
    EXPECT_EQ(loaded->training_state, "patience 3");
    EXPECT_EQ(loaded->seed, 1u);
  }
}

TEST_F(CheckpointTest, AnUntrainedOptimizerIsEmpty) {
  Sequential model = Network(1);
  model.compile("adam", "categorical_crossentropy");
  SaveModel(model.state(), Path("model.h5"), "");
  Sequential other = Network(2);
  other.compile("adam", "categorical_crossentropy");
  FillSlots(other.state(), 9);
  LoadWeights(other.state(), Path("model.h5"));
  EXPECT_EQ(other.optimizer().iterations(), 0);
  EXPECT_EQ(SlotValues(other.state())[0][0], 0);
}

TEST_F(CheckpointTest, StateOfAnotherOptimizerIsLeftAlone) {
  Sequential model = Network(1);
  model.compile("adam", "categorical_crossentropy");
  FillSlots(model.state(), 42);
  SaveModel(model.state(), Path("model.h5"), "");
  Sequential other = Network(2);
  other.compile("sgd", "categorical_crossentropy");
  LoadWeights(other.state(), Path("model.h5"));
  EXPECT_EQ(other.optimizer().iterations(), 0);
  EXPECT_EQ(Weights(other.state()), Weights(model.state()));
}

TEST_F(CheckpointTest, FrozenLayersStayFrozen) {
  Sequential model = Network(1);
  model.layers()[0].set_trainable(false);
  model.compile("adam", "categorical_crossentropy");
  FillSlots(model.state(), 1);
  SaveModel(model.state(), Path("model.h5"), "");
  const auto loaded = LoadModelFile(Path("model.h5"));
  EXPECT_EQ(loaded->compiled->trainable.size(), 4u);
  EXPECT_EQ(SlotValues(*loaded), SlotValues(model.state()));
}

TEST_F(CheckpointTest, ArchitectureComesBack) {
  const Sequential model = Network(1);
  SaveModel(model.state(), Path("model.h5"), "");
  const auto loaded = LoadModelFile(Path("model.h5"));
  EXPECT_EQ(Summary(*loaded), model.summary());
  EXPECT_EQ(loaded->input()->layer->name, "conv2d_input");
  EXPECT_FALSE(loaded->compiled);
  EXPECT_EQ(Weights(*loaded), Weights(model.state()));
}

TEST_F(CheckpointTest, GraphsComeBack) {
  const KerasTensor input = Input({8, 8, 3}, "image");
  const Conv2D shared(3, {3, 3}, {.padding = "same", .name = "shared"});
  const KerasTensor once = shared(input), twice = shared(once);
  const KerasTensor sum = Add()({twice, input, once});
  Model model(input, Dense(2, {.activation = "softmax"})(GlobalAveragePooling2D()(sum)), {.seed = 4});
  model.compile(Adam(), SparseCategoricalCrossentropy(), {"accuracy"}, {.policy = "mixed_bfloat16"});
  SaveModel(model.state(), Path("model.h5"), "");
  const auto loaded = LoadModelFile(Path("model.h5"));
  EXPECT_EQ(Summary(*loaded), model.summary());
  EXPECT_EQ(Weights(*loaded), Weights(model.state()));
  EXPECT_EQ(loaded->compiled->options.policy, "mixed_bfloat16");
  EXPECT_EQ(loaded->Lower().values.size(), model.state().Lower().values.size());
}

TEST_F(CheckpointTest, LossesComeBack) {
  const std::vector<Loss> losses = {"categorical_crossentropy",
                                    "sparse_categorical_crossentropy",
                                    CategoricalCrossentropy({.from_logits = true, .label_smoothing = 0.1f}),
                                    SparseCategoricalCrossentropy({.from_logits = true}),
                                    "mse",
                                    Huber({.delta = 0.5f, .reduction = "sum"}),
                                    BinaryCrossentropy({.label_smoothing = 0.2f}),
                                    Tversky({.alpha = 0.3f, .axis = {1}, .name = "mine"})};
  for (const Loss& loss : losses) {
    Sequential model = Network(1);
    model.compile("adam", loss);
    const auto again = hdf5::TrainingFromConfig(hdf5::TrainingConfig(*model.state().compiled));
    ASSERT_TRUE(again && again->loss);
    EXPECT_EQ(again->loss->name(), loss.name());
    EXPECT_EQ(again->loss->state()->class_name, loss.state()->class_name);
    EXPECT_EQ(again->loss->state()->config, loss.state()->config);
    EXPECT_EQ(again->loss->state()->reduction, loss.state()->reduction);
  }
}

TEST_F(CheckpointTest, AlgorithmsAreKeptForTheSameBits) {
  Sequential model = Network(1);
  model.compile("adam", "categorical_crossentropy", {}, {.conv_algorithms = "direct"});
  SaveModel(model.state(), Path("model.h5"), "");
  EXPECT_EQ(LoadModelFile(Path("model.h5"))->compiled->options.conv_algorithms, "direct");
}

TEST_F(CheckpointTest, OfAnotherShapeNamesTheLayer) {
  SaveModel(Network(1).state(), Path("model.h5"), "");
  const Sequential other = Network(2, 6);
  const auto before = Weights(other.state());
  EXPECT_THAT(Refusal(other, Path("model.h5"), ErrorCode::kInvalidArgument),
              HasSubstr("model.h5: /model_weights/dense/dense/kernel:0: found shape (64, 5) for dense/kernel, wanted "
                        "(64, 6)"));
  EXPECT_EQ(Weights(other.state()), before);
}

TEST_F(CheckpointTest, OfAnotherNumberOfLayersIsRefused) {
  SaveWeights(Network(1).state(), Path("weights.h5"));
  const Sequential other({Dense(2, {.input_shape = {4}})});
  EXPECT_THAT(Refusal(other, Path("weights.h5"), ErrorCode::kInvalidArgument),
              HasSubstr("found 3 layers with weights, wanted 1 as in model sequential"));
}

TEST_F(CheckpointTest, FilesThatAreNotOursAreRefused) {
  const Sequential model = Network(1);
  EXPECT_THAT(Refusal(model, Path("missing.h5"), ErrorCode::kNotFound), HasSubstr("missing.h5: no such file"));
  std::ofstream(Path("text.h5")) << "this is no HDF5 file";
  EXPECT_THAT(Refusal(model, Path("text.h5"), ErrorCode::kDataLoss), HasSubstr("text.h5: found no HDF5 file"));
  std::ofstream(Path("model.keras")) << "PK\3\4 and more";
  EXPECT_THAT(Refusal(model, Path("model.keras"), ErrorCode::kDataLoss), HasSubstr("Keras 3's .keras"));
  hdf5::File::Create(Path("empty.h5"), "empty.h5").Flush();
  EXPECT_THAT(Refusal(model, Path("empty.h5"), ErrorCode::kDataLoss),
              HasSubstr("found neither model_weights nor layer_names"));
  SaveWeights(model.state(), Path("weights.h5"));
  EXPECT_THAT(Thrown([&] { LoadModelFile(Path("weights.h5")); }, ErrorCode::kDataLoss),
              HasSubstr("no attribute model_config"));
}

TEST_F(CheckpointTest, NamesThatPromiseAnotherFormatAreRefused) {
  const Sequential model = Network(1);
  for (const char* name : {"model.keras", "best.weights.h5", "{epoch}.keras"}) {
    const auto says = testing::AllOf(HasSubstr(name), HasSubstr("wanted a name that ends in .h5 alone"));
    EXPECT_THAT(Thrown([&] { model.save(Path(name)); }, ErrorCode::kInvalidArgument), says);
    EXPECT_THAT(Thrown([&] { model.save_weights(Path(name)); }, ErrorCode::kInvalidArgument), says);
    EXPECT_THAT(Thrown([&] { ModelCheckpoint(Path(name)); }, ErrorCode::kInvalidArgument), says);
    EXPECT_FALSE(std::filesystem::exists(Path(name)));
  }
  EXPECT_THAT(Thrown([&] { ModelCheckpoint("{loss:d}.h5"); }, ErrorCode::kInvalidArgument),
              HasSubstr("field {loss:d}: Unknown format code 'd'"));
}

TEST_F(CheckpointTest, ATruncatedFileIsRefused) {
  const Sequential model = Network(1);
  SaveModel(model.state(), Path("model.h5"), "");
  const auto size = std::filesystem::file_size(Path("model.h5"));
  for (const auto part : {size / 4, size / 2, size - 1}) {
    std::filesystem::resize_file(Path("model.h5"), part);
    EXPECT_THAT(Refusal(model, Path("model.h5"), ErrorCode::kDataLoss), HasSubstr("model.h5"));
  }
}

TEST_F(CheckpointTest, MissingPartsAreNamed) {
  {
    hdf5::File file = hdf5::File::Create(Path("parts.h5"), "parts.h5");
    hdf5::Group root = file.Root();
    root.SetTexts("layer_names", {"conv2d", "gone"});
    root.CreateGroup("conv2d").SetTexts("weight_names", {"conv2d/kernel:0"});
    file.Flush();
  }
  EXPECT_THAT(Refusal(Network(1), Path("parts.h5"), ErrorCode::kDataLoss), HasSubstr("parts.h5: /: no group \"gone\""));
}

TEST_F(CheckpointTest, WritingIsAllOrNothing) {
  const Sequential model = Network(1);
  Thrown([&] { SaveModel(model.state(), Path("nowhere/model.h5"), ""); }, ErrorCode::kNotFound);
  SaveModel(model.state(), Path("model.h5"), "");
  SaveModel(model.state(), Path("model.h5"), "");
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory_.path())) ++files;
  EXPECT_EQ(files, 1u);
}

TEST_F(CheckpointTest, LongListsOfNamesAreSplit) {
  std::vector<std::string> names;
  for (int i = 0; i < 3000; ++i) names.push_back("a_layer_with_a_rather_long_name_number_" + std::to_string(i));
  {
    hdf5::File file = hdf5::File::Create(Path("names.h5"), "names.h5");
    file.Root().SetTexts("layer_names", names);
    file.Root().SetText("long", std::string(200000, 'x'));
    file.Flush();
  }
  const hdf5::File file = hdf5::File::Open(Path("names.h5"));
  EXPECT_EQ(file.Root().Texts("layer_names"), names);
  EXPECT_FALSE(file.Root().Text("layer_names"));  // only layer_names0, layer_names1, …
  EXPECT_EQ(file.Root().Text("long")->size(), 200000u);
}

TEST(ModelConfig, RefusesWhatItCannotBuild) {
  const auto refusal = [](const char* text) {
    try {
      hdf5::ModelFromConfig(nlohmann::json::parse(text));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      return error.message();
    }
    return std::string("nothing was thrown");
  };
  EXPECT_THAT(refusal(R"({"class_name": "Bert", "config": {}})"), HasSubstr("found class Bert"));
  EXPECT_THAT(refusal(R"({"class_name": "Sequential", "config": {"name": "s", "layers": []}})"),
              HasSubstr("model s: found no layers"));
  EXPECT_THAT(refusal(R"({"class_name": "Sequential"})"), HasSubstr("model_config cannot be understood"));
  EXPECT_THAT(refusal(R"({"class_name": "Sequential", "config": [{"class_name": "LSTM", "config": {}}]})"),
              HasSubstr("layer class: found \"LSTM\""));
  EXPECT_THAT(refusal(R"({"class_name": "Functional", "config": {"layers": [
      {"class_name": "InputLayer", "config": {"batch_shape": [null, 4], "name": "i"}, "inbound_nodes": []},
      {"class_name": "Flatten", "config": {"name": "f"}, "inbound_nodes": [[["f", 0, 0, {}]]]}],
      "input_layers": [["i", 0, 0]], "output_layers": [["f", 0, 0]]}})"),
              HasSubstr("layer f: its inputs are not in the model, or go in a circle"));
  EXPECT_THAT(refusal(R"({"class_name": "Functional", "config": {"layers": [],
      "input_layers": [["i", 0, 0], ["j", 0, 0]], "output_layers": [["i", 0, 0], ["j", 0, 0]]}})"),
              HasSubstr("input_layers: no layer \"i\" is called"));
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  EXPECT_THAT(refusal((R"({"class_name": "Functional", "config": {"layers": [{"class_name": "Flatten",
      "config": {"name": "f"}, "inbound_nodes": [{"args": )" +
                       deep + "}]}]}}")
                          .c_str()),
              HasSubstr("nested more than 100 deep"));
}

}  // namespace
}  // namespace headrace::keras::internal
