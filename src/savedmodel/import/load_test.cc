#include "savedmodel/import/load.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "headrace/ops.h"

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "keras/engine.h"
#include "savedmodel/export/meta_graph.h"
#include "savedmodel/testing/models.h"
#include "tensor/backend.h"

namespace headrace::savedmodel {
namespace {

using ::testing::HasSubstr;

// The answers of plain loops in double: two models that compute the same give the same bits.
Tensor Predict(const keras::Model& model, const Tensor& x) {
  keras::internal::Engine engine(model.state(), tensor::MakeReferenceBackend());
  Shape shape = model.output_shape();
  shape[0] = x.dim(0);
  Tensor scores(DType::kFloat32, shape);
  engine.PredictBatch(x, scores);
  return scores;
}

float LargestDifference(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.shape(), b.shape());
  float largest = 0;
  for (int64_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a.data<float>()[i] - b.data<float>()[i]));
  return largest;
}

class SavedModelTest : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::string root_ = directory_ / "export";
};

TEST_F(SavedModelTest, TheExampleComesBack) {
  const keras::Model model = testing::ExampleCnn();
  Export(model, root_ + "/1");
  const LoadedModel loaded = Load(root_);
  EXPECT_EQ(loaded.directory, root_ + "/1");
  EXPECT_EQ(loaded.signature.inputs[0].name, "image");
  EXPECT_EQ(loaded.signature.inputs[0].shape, (Shape{-1, 32, 32, 3}));
  EXPECT_EQ(loaded.signature.outputs[0].name, "scores");
  EXPECT_EQ(loaded.signature.outputs[0].shape, (Shape{-1, 10}));
  EXPECT_EQ(loaded.signature.method_name, "tensorflow/serving/predict");
  EXPECT_EQ(loaded.model.count_params(), model.count_params());
  const Tensor x = testing::RandomInputs({2, 32, 32, 3}, 255, 1);
  EXPECT_EQ(LargestDifference(Predict(loaded.model, x), Predict(model, x)), 0);
}

TEST_F(SavedModelTest, EverythingComesBack) {
  const keras::Model model = testing::ModelOfEverything();
  Export(model, root_ + "/1", {.input_name = "picture", .output_name = "answers"});
  const LoadedModel loaded = Load(root_ + "/1");
  EXPECT_EQ(loaded.signature.inputs[0].name, "picture");
  const Tensor x = testing::RandomInputs({3, 15, 10, 3}, 255, 1);
  EXPECT_LT(LargestDifference(Predict(loaded.model, x), Predict(model, x)), 1e-6f);
}

// What was read can be written again: nothing is lost on the way.
TEST_F(SavedModelTest, ALoadedModelExportsTheSame) {
  Export(testing::ModelOfEverything(), root_ + "/1");
  const LoadedModel once = Load(root_ + "/1");
  Export(once.model, root_ + "/2");
  const LoadedModel twice = Load(root_);
  EXPECT_EQ(twice.directory, root_ + "/2");
  const Tensor x = testing::RandomInputs({3, 15, 10, 3}, 255, 1);
  EXPECT_LT(LargestDifference(Predict(twice.model, x), Predict(once.model, x)), 1e-6f);
}

// Instead of a graph that TensorFlow would compute otherwise.
TEST_F(SavedModelTest, WhatIsNotExportedIsNamed) {
  const keras::KerasTensor input = keras::Input({6, 4});
  const keras::KerasTensor swapped = keras::ops::reshape(input, {-1, 4, 6});
  const keras::KerasTensor batch_behind = keras::ops::reshape(keras::ops::reshape(input, {4, -1}), {-1, 24});
  for (const keras::KerasTensor& value : {swapped, input * 2, batch_behind}) {
    const keras::Model model(input, keras::Flatten()(value));
    try {
      Export(model, root_ + "/1");
      ADD_FAILURE() << "exported";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("save_weights() keeps the weights"));
    }
  }
}

TEST_F(SavedModelTest, EqualModelsGiveEqualBytes) {
  Export(testing::ModelOfEverything(), root_ + "/1");
  Export(testing::ModelOfEverything(), root_ + "/2");
  for (const char* file : {"saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"})
    EXPECT_EQ(ReadFile(root_ + "/1/" + file).value(), ReadFile(root_ + "/2/" + file).value()) << file;
}

TEST_F(SavedModelTest, AnExistingVersionIsKeptUnlessAskedOtherwise) {
  const keras::Model model = testing::ModelOfEverything();
  Export(model, root_ + "/1");
  try {
    Export(model, root_ + "/1/");
    FAIL() << "it overwrote";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kFailedPrecondition);
    EXPECT_THAT(error.message(), HasSubstr("exists already"));
  }
  ASSERT_TRUE(WriteFileAtomically(root_ + "/1/old", "x"));
  Export(model, root_ + "/1", {.overwrite = true});
  EXPECT_FALSE(std::filesystem::exists(root_ + "/1/old"));
  // No hidden sibling stays behind.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(root_), {}), 1);
}

TEST_F(SavedModelTest, TheHighestVersionIsTaken) {
  const keras::Model model = testing::ModelOfEverything();
  for (const char* version : {"9", "10", "notes"}) Export(model, root_ + "/" + version);
  std::filesystem::create_directories(root_ + "/11");  // holds no model
  EXPECT_EQ(ResolveVersion(root_), root_ + "/10");
  EXPECT_EQ(ResolveVersion(root_ + "/9"), root_ + "/9");
  EXPECT_THROW(ResolveVersion(root_ + "/11"), Error);
  EXPECT_THROW(ResolveVersion(root_ + "/nowhere"), Error);
}

// ------------------------------------------------------------------------------------------- graphs of others

class GraphTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const keras::Model model = testing::ModelOfEverything();
    model_ = WriteGraph(model.state().Lower(), {}).model;
    Export(model, root_, {.overwrite = true});
  }
  tf::MetaGraphDef& meta() { return *model_.mutable_meta_graphs(0); }
  tf::NodeDef& Node(const std::string& op) {
    for (tf::NodeDef& node : *meta().mutable_graph_def()->mutable_node())
      if (node.op() == op) return node;
    throw std::runtime_error("no " + op);
  }
  std::string LoadError(const LoadOptions& options = {}) {
    const auto loaded = LoadGraph(model_, BundleReader::Open(root_ + "/variables/variables", 1 << 30).value(), options);
    return loaded ? "no error" : loaded.error().message();
  }

  TemporaryDirectory directory_;
  std::string root_ = directory_ / "export";
  tf::SavedModel model_;
};

TEST_F(GraphTest, OperationsThatAreNotKnownAreNamed) {
  EXPECT_EQ(LoadError(), "no error");
  tf::NodeDef& node = Node("MaxPool");
  node.set_op("CropAndFry");
  EXPECT_EQ(LoadError(),
            "node '" + node.name() + "' (CropAndFry): Headrace does not know the operation CropAndFry in this place");
  // The cause is named, not what a half recognised gelu was going to be.
  node.set_op("MaxPool");
  Node("Erf").set_op("Erfc");
  EXPECT_THAT(LoadError(), HasSubstr("(Erfc): Headrace does not know the operation Erfc"));
}

TEST_F(GraphTest, BrokenGraphsAreRefused) {
  const tf::SavedModel good = model_;
  const auto error = [&](auto change) {
    model_ = good;
    change();
    return LoadError();
  };
  EXPECT_THAT(error([&] { Node("Relu").set_input(0, "nowhere"); }),
              HasSubstr("'nowhere', which the graph does not have"));
  EXPECT_THAT(error([&] { Node("Relu").set_input(0, "a:b"); }), HasSubstr("'a:b' names no tensor"));
  EXPECT_THAT(error([&] { Node("Relu").set_input(0, Node("Relu").name()); }), HasSubstr("a cycle through"));
  EXPECT_THAT(error([&] { Node("Relu").clear_input(); }), HasSubstr("0 inputs, wanted more than 0"));
  EXPECT_THAT(error([&] { Node("Relu").set_name(Node("MaxPool").name()); }), HasSubstr("two nodes named"));
  EXPECT_THAT(error([&] { (*Node("Conv2D").mutable_attr())["padding"].set_s("ROUND"); }), HasSubstr("'ROUND'"));
  EXPECT_THAT(error([&] { (*Node("Conv2D").mutable_attr())["data_format"].set_s("NCHW"); }), HasSubstr("wanted NHWC"));
  EXPECT_THAT(error([&] { (*Node("MaxPool").mutable_attr())["strides"].mutable_list()->set_i(1, 0); }),
              HasSubstr("strides are (1, 0, 2, 1), wanted (1, height, width, 1)"));
  EXPECT_THAT(error([&] { (*Node("MaxPool").mutable_attr())["ksize"].mutable_list()->set_i(1, 1 << 30); }),
              HasSubstr("ksize"));
  EXPECT_THAT(error([&] { Node("FusedBatchNormV3").mutable_attr()->erase("is_training"); }),
              HasSubstr("is_training is true"));
  EXPECT_THAT(error([&] { Node("VarHandleOp").set_op("Placeholder"); }), HasSubstr("input is no VarHandleOp"));
  EXPECT_THAT(error([&] { meta().mutable_signature_def()->clear(); }),
              HasSubstr("no signature named 'serving_default'"));
  EXPECT_THAT(error([&] { meta().mutable_meta_info_def()->add_tags("gpu"); }), HasSubstr("there is: serve, gpu"));
}

TEST_F(GraphTest, SignaturesAreChecked) {
  tf::SignatureDef& signature = (*meta().mutable_signature_def())["serving_default"];
  tf::TensorInfo& input = (*signature.mutable_inputs())["image"];
  input.mutable_tensor_shape()->mutable_dim(1)->set_size(-1);
  EXPECT_THAT(LoadError(), HasSubstr("would have shape (None, None, 10, 3)"));
  input.mutable_tensor_shape()->mutable_dim(1)->set_size(int64_t{1} << 60);
  EXPECT_THAT(LoadError(), HasSubstr("too many elements"));
  input.mutable_tensor_shape()->mutable_dim(1)->set_size(int64_t{1} << 40);
  EXPECT_THAT(LoadError(), HasSubstr("would have shape (None, 1099511627776, 10, 3)"));
  input.mutable_tensor_shape()->mutable_dim(1)->set_size(15);
  input.set_dtype(tf::DT_UINT8);
  EXPECT_THAT(LoadError(), HasSubstr("is uint8"));
  input.set_name("nowhere:0");
  input.set_dtype(tf::DT_FLOAT);
  EXPECT_THAT(LoadError(), HasSubstr("'nowhere:0' is not in the graph"));
}

TEST_F(GraphTest, VariablesAreFoundByTheRestoreOperations) {
  // Exchange two names of equal shape in the restore operation: the values follow it, not the variables' names.
  tf::TensorProto* names = nullptr;
  for (tf::NodeDef& node : *meta().mutable_graph_def()->mutable_node())
    if (node.name() == "save/RestoreV2/tensor_names") names = (*node.mutable_attr())["value"].mutable_tensor();
  ASSERT_NE(names, nullptr);
  int gamma = -1, beta = -1;
  for (int i = 0; i < names->string_val_size(); ++i) {
    if (names->string_val(i) == "batch_normalization/gamma") gamma = i;
    if (names->string_val(i) == "batch_normalization/beta") beta = i;
  }
  ASSERT_TRUE(gamma >= 0 && beta >= 0);
  names->mutable_string_val()->SwapElements(gamma, beta);
  const auto bundle = BundleReader::Open(root_ + "/variables/variables", 1 << 30).value();
  const auto loaded = LoadGraph(model_, bundle, {});
  ASSERT_TRUE(loaded) << loaded.error().message();
  for (const keras::Value& value : loaded->graph.values) {
    if (value.layer.find("FusedBatchNorm") == std::string::npos) continue;
    EXPECT_EQ(value.variables[0]->value.data<float>()[0], bundle.Read("batch_normalization/beta")->data<float>()[0]);
  }
}

TEST_F(GraphTest, ADeepGraphDoesNotOverflowTheStack) {
  std::string last = (*meta().mutable_signature_def())["serving_default"].outputs().at("scores").name();
  for (int i = 0; i < 200000; ++i) {
    tf::NodeDef* node = meta().mutable_graph_def()->add_node();
    node->set_name("deep" + std::to_string(i));
    node->set_op("Identity");
    node->add_input(last);
    last = node->name();
  }
  (*(*meta().mutable_signature_def())["serving_default"].mutable_outputs())["scores"].set_name(last + ":0");
  EXPECT_EQ(LoadError(), "no error");
}

TEST(ParseSavedModel, RefusesOtherBytes) {
  EXPECT_THAT(ParseSavedModel("no protobuf", "x.pb").error().message(),
              HasSubstr("x.pb: 11 bytes that are no SavedModel"));
  EXPECT_THAT(ParseSavedModel("", "x.pb").error().message(), HasSubstr("schema version 0, wanted 1"));
}

}  // namespace
}  // namespace headrace::savedmodel
