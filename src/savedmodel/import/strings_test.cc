#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "savedmodel/export/graph_writer.h"
#include "savedmodel/import/load.h"
#include "savedmodel/tensor_proto.h"

namespace headrace::savedmodel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using From = DecodedTensor::Source;

// A model whose signature reads strings: a placeholder, what a test adds, and an output of floats.
class StringsTest : public ::testing::Test {
 protected:
  StringsTest() {
    tf::MetaGraphDef& meta = *model_.add_meta_graphs();
    model_.set_saved_model_schema_version(1);
    meta.mutable_meta_info_def()->add_tags("serve");
    tf::SignatureDef& signature = (*meta.mutable_signature_def())["serving_default"];
    tf::TensorInfo& input = (*signature.mutable_inputs())["examples"];
    input.set_name("strings:0");
    input.set_dtype(tf::DT_STRING);
    ToProto(Shape{-1}, input.mutable_tensor_shape());
    (*signature.mutable_outputs())["y"].set_dtype(tf::DT_FLOAT);
    Add("Placeholder", "strings");
  }

  tf::TensorInfo& Input() {
    auto& signature = (*model_.mutable_meta_graphs(0)->mutable_signature_def())["serving_default"];
    return (*signature.mutable_inputs())["examples"];
  }
  NodeWriter Add(std::string_view op, std::string_view name, const std::vector<std::string>& inputs = {}) {
    return GraphWriter(model_.mutable_meta_graphs(0)->mutable_graph_def()).Add(op, name, inputs);
  }
  tf::NodeDef& Last() {
    auto& nodes = *model_.mutable_meta_graphs(0)->mutable_graph_def()->mutable_node();
    return nodes[nodes.size() - 1];
  }
  std::string Strings(std::string_view name, const std::vector<std::string>& values) {
    NodeWriter node = Add("Const", name);
    tf::TensorProto& proto = node.Value();
    proto.set_dtype(tf::DT_STRING);
    ToProto(Shape{static_cast<int64_t>(values.size())}, proto.mutable_tensor_shape());
    for (const std::string& value : values) proto.add_string_val(value);
    return std::string(name);
  }
  std::string String(std::string_view name, const std::string& value) {
    Strings(name, {value});
    (*Last().mutable_attr())["value"].mutable_tensor()->clear_tensor_shape();
    return std::string(name);
  }
  std::string Numbers(std::string_view name, tf::DataType type, const std::vector<float>& values, const Shape& shape) {
    NodeWriter node = Add("Const", name);
    tf::TensorProto& proto = node.Value();
    proto.set_dtype(type);
    ToProto(shape, proto.mutable_tensor_shape());
    for (const float value : values) {
      if (type == tf::DT_FLOAT) proto.add_float_val(value);
      if (type == tf::DT_INT32) proto.add_int_val(static_cast<int>(value));
      if (type == tf::DT_INT64) proto.add_int64_val(static_cast<int64_t>(value));
    }
    return std::string(name);
  }
  void Dense(const std::vector<std::pair<tf::DataType, Shape>>& features) {
    auto& types = *(*Last().mutable_attr())["Tdense"].mutable_list();
    auto& shapes = *(*Last().mutable_attr())["dense_shapes"].mutable_list();
    for (const auto& [type, shape] : features) {
      types.add_type(type);
      ToProto(shape, shapes.add_shape());
    }
  }
  // ParseExampleV2 of x: float32 [2], n: int64 [] = 7, image: bytes.
  void Parse() {
    Strings("names", {});
    Strings("sparse_keys", {});
    Strings("keys", {"x", "n", "image"});
    Numbers("none", tf::DT_FLOAT, {}, {0});
    Numbers("seven", tf::DT_INT64, {7}, {});
    Strings("nothing", {});
    Add("ParseExampleV2", "parse",
        {"strings", "names", "sparse_keys", "keys", "sparse_keys", "none", "seven", "nothing"})
        .Int("num_sparse", 0);
    Dense({{tf::DT_FLOAT, {2}}, {tf::DT_INT64, {}}, {tf::DT_STRING, {}}});
  }
  // image of `type` as [-1, …].
  std::string Decode(tf::DataType type, const std::vector<float>& shape, const std::string& from = "parse:2") {
    Add("DecodeRaw", "raw", {from}).Type("out_type", type).Bool("little_endian", true);
    Numbers("shape", tf::DT_INT32, shape, {static_cast<int64_t>(shape.size())});
    Add("Reshape", "image", {"raw", "shape"});
    return "image";
  }
  Result<LoadedGraph> Load(const std::string& output) {
    auto& signature = (*model_.mutable_meta_graphs(0)->mutable_signature_def())["serving_default"];
    (*signature.mutable_outputs())["y"].set_name(output);
    auto graphs = LoadServingGraphs(model_, std::nullopt, {});
    if (!graphs) return tl::unexpected<Error>(std::move(graphs.error()));
    return std::move(graphs->signatures[0]);
  }
  std::string LoadError(const std::string& output) {
    const auto loaded = Load(output);
    return loaded ? "no error" : loaded.error().message();
  }

  tf::SavedModel model_;
};

TEST_F(StringsTest, FeaturesAreTheGraphsInputs) {
  Parse();
  Decode(tf::DT_UINT8, {-1, 2, 3});
  Numbers("axes", tf::DT_INT32, {1, 2}, {2});
  Add("Cast", "pixels", {"image"}).Type("DstT", tf::DT_FLOAT);
  Add("Mean", "mean", {"pixels", "axes"});
  const auto loaded = Load("mean");
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(loaded->signature.inputs[0].name, "examples");
  EXPECT_EQ(loaded->signature.inputs[0].shape, (Shape{-1}));
  EXPECT_THAT(loaded->strings.strings, ElementsAre(true));
  const auto& tensors = loaded->strings.tensors;
  ASSERT_EQ(tensors.size(), 3u);
  EXPECT_EQ(tensors[0].source, From::kFloats);
  EXPECT_EQ(tensors[0].key, "x");
  EXPECT_EQ(tensors[0].shape, (Shape{-1, 2}));
  EXPECT_FALSE(tensors[0].fallback);
  EXPECT_EQ(tensors[1].source, From::kInt64s);
  EXPECT_EQ(tensors[1].shape, (Shape{-1}));
  EXPECT_EQ(tensors[1].fallback, std::string("\7\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(tensors[2].source, From::kFeatureBytes);
  EXPECT_EQ(tensors[2].key, "image");
  EXPECT_EQ(tensors[2].dtype, DType::kUInt8);
  EXPECT_EQ(tensors[2].shape, (Shape{-1, 2, 3}));
  ASSERT_EQ(loaded->strings.checked.size(), 1u);
  EXPECT_EQ(loaded->strings.checked[0].key, "image");
  EXPECT_TRUE(loaded->strings.checked[0].required);
}

TEST_F(StringsTest, TheOlderOperationHasAKeyAnInput) {
  Strings("names", {});
  String("a", "a");
  String("b", "b");
  Numbers("none", tf::DT_FLOAT, {}, {0});
  Numbers("two", tf::DT_FLOAT, {1, 2}, {2});
  Numbers("shape", tf::DT_INT32, {2, 1}, {2});
  Add("Reshape", "default", {"two", "shape"});  // as tf.io.parse_example writes defaults
  Add("ParseExample", "parse", {"strings", "names", "a", "b", "none", "default"}).Int("Nsparse", 0).Int("Ndense", 2);
  Dense({{tf::DT_FLOAT, {3}}, {tf::DT_FLOAT, {2, 1}}});
  const auto loaded = Load("parse:1");
  ASSERT_TRUE(loaded) << loaded.error().message();
  ASSERT_EQ(loaded->strings.tensors.size(), 2u);
  EXPECT_EQ(loaded->strings.tensors[1].key, "b");
  const float values[] = {1, 2};
  EXPECT_EQ(loaded->strings.tensors[1].fallback, std::string(reinterpret_cast<const char*>(values), sizeof values));
  EXPECT_EQ(loaded->graph.output, 1);
}

TEST_F(StringsTest, AnInputOfRawBytes) {
  Input().mutable_tensor_shape()->set_unknown_rank(true);
  Input().mutable_tensor_shape()->clear_dim();
  Decode(tf::DT_FLOAT, {-1, 4}, "strings");
  const auto loaded = Load("image");
  ASSERT_TRUE(loaded) << loaded.error().message();
  ASSERT_EQ(loaded->strings.tensors.size(), 1u);
  EXPECT_EQ(loaded->strings.tensors[0].source, From::kStringBytes);
  EXPECT_EQ(loaded->strings.tensors[0].dtype, DType::kFloat32);
  EXPECT_EQ(loaded->strings.tensors[0].shape, (Shape{-1, 4}));
  EXPECT_TRUE(loaded->strings.checked.empty());
}

TEST_F(StringsTest, LoadingAsAModelOfLayersIsRefused) {
  Decode(tf::DT_FLOAT, {-1, 4}, "strings");
  (void)Load("image");
  EXPECT_THAT(LoadGraph(model_, std::nullopt, {}).error().message(), HasSubstr("'examples' is string, wanted float32"));
}

TEST_F(StringsTest, OtherUsesOfStringsAreRefusedByName) {
  Parse();
  Add("DecodeJpeg", "jpeg", {"parse:2"});
  EXPECT_EQ(LoadError("jpeg"),
            "node 'jpeg' (DecodeJpeg): Headrace does not know the operation DecodeJpeg in this place");
  Add("StringToHashBucketFast", "hash", {"strings"});
  EXPECT_THAT(LoadError("hash"), HasSubstr("node 'hash' (StringToHashBucketFast)"));
  Add("DecodeRaw", "raw", {"parse:2"}).Type("out_type", tf::DT_FLOAT);
  Add("Relu", "relu", {"raw"});
  EXPECT_EQ(LoadError("relu"),
            "node 'relu' (Relu): it takes what node 'raw' (DecodeRaw) makes, whose size only a Reshape of fixed shape "
            "tells");
  Add("DecodeRaw", "half", {"parse:2"}).Type("out_type", tf::DT_HALF);
  EXPECT_THAT(LoadError("half"), HasSubstr("its out_type is DT_HALF, wanted uint8, int32, int64 or float32"));
  Add("DecodeRaw", "big", {"parse:2"}).Type("out_type", tf::DT_INT32).Bool("little_endian", false);
  EXPECT_THAT(LoadError("big"), HasSubstr("big-endian"));
  Add("DecodeRaw", "numbers", {"parse"}).Type("out_type", tf::DT_FLOAT);
  EXPECT_THAT(LoadError("numbers"), HasSubstr("wanted the signature's input or a feature of it"));
  Add("ParseExampleV2", "again", {"parse:2", "names", "sparse_keys", "sparse_keys", "sparse_keys"});
  EXPECT_THAT(LoadError("again"), HasSubstr("wanted an input of one a row"));
  EXPECT_THAT(LoadError("strings"), HasSubstr("the output does not depend on the input"));
}

TEST_F(StringsTest, ShapesThatAreNotFixedAreRefused) {
  Parse();
  for (const auto& shape :
       std::vector<std::vector<float>>{{-1}, {2, 3}, {-1, -1}, {-1, 0}, {-1, 65536, 65536, 65536}}) {
    const tf::SavedModel good = model_;
    EXPECT_NE(LoadError(Decode(tf::DT_UINT8, shape)), "no error");
    model_ = good;
  }
  Input().mutable_tensor_shape()->add_dim()->set_size(2);
  EXPECT_THAT(LoadError("parse"), HasSubstr("is strings of shape (None, 2), wanted one a row"));
}

TEST_F(StringsTest, FeaturesOfOtherKindsAreRefused) {
  Parse();
  const tf::SavedModel good = model_;
  const auto error = [&](auto change) {
    model_ = good;
    change(Last());
    return LoadError("parse");
  };
  EXPECT_EQ(error([](tf::NodeDef&) {}), "no error");
  EXPECT_EQ(error([](tf::NodeDef& n) { (*n.mutable_attr())["num_sparse"].set_i(1); }),
            "node 'parse' (ParseExampleV2): it parses 1 sparse and 0 ragged features, wanted dense ones of fixed "
            "length (FixedLenFeature)");
  EXPECT_THAT(
      error([](tf::NodeDef& n) { (*n.mutable_attr())["ragged_value_types"].mutable_list()->add_type(tf::DT_FLOAT); }),
      HasSubstr("0 sparse and 1 ragged"));
  EXPECT_THAT(error([](tf::NodeDef& n) {
                (*n.mutable_attr())["dense_shapes"].mutable_list()->mutable_shape(0)->mutable_dim(0)->set_size(-1);
              }),
              HasSubstr("feature 'x' has shape (None,), wanted a fixed length"));
  EXPECT_THAT(error([](tf::NodeDef& n) { n.mutable_attr()->erase("Tdense"); }), HasSubstr("not as many types"));
  EXPECT_THAT(error([](tf::NodeDef& n) { (*n.mutable_attr())["Tdense"].mutable_list()->set_type(0, tf::DT_INT32); }),
              HasSubstr("feature 'x' is of no type that Examples have"));
  EXPECT_THAT(error([](tf::NodeDef& n) { n.set_input(5, "seven"); }),
              HasSubstr("the default of feature 'x' is int64 (), wanted float32 (2,)"));
  EXPECT_THAT(error([](tf::NodeDef& n) { n.set_input(3, "seven"); }), HasSubstr("wanted a constant of strings"));
  EXPECT_THAT(error([](tf::NodeDef& n) { n.set_input(7, "keys"); }), HasSubstr("has 3 default values"));
  EXPECT_THAT(error([](tf::NodeDef& n) { n.mutable_input()->RemoveLast(); }), HasSubstr("7 inputs"));
}

// ------------------------------------------------------------------------------------------- what classifiers tell

TEST_F(StringsTest, OutputsThatAreLabels) {
  Parse();
  auto& outputs = *(*model_.mutable_meta_graphs(0)->mutable_signature_def())["serving_default"].mutable_outputs();
  const auto output = [&](const char* name, const char* tensor, tf::DataType type) {
    outputs[name].set_name(tensor);
    outputs[name].set_dtype(type);
  };
  Numbers("start", tf::DT_INT32, {0}, {});
  Numbers("limit", tf::DT_INT32, {2}, {});
  Numbers("step", tf::DT_INT32, {1}, {});
  Add("Range", "range", {"start", "limit", "step"});
  Add("AsString", "digits", {"range"});
  Add("ExpandDims", "wide", {"digits", "start"});
  Add("Shape", "shape", {"parse"});
  Numbers("one", tf::DT_INT32, {1}, {1});
  Add("StridedSlice", "batch", {"shape", "zero", "one", "one"}).Int("shrink_axis_mask", 1);
  Numbers("zero", tf::DT_INT32, {0}, {1});
  Add("Pack", "multiples", {"batch", "step"});
  Add("Tile", "classes", {"wide", "multiples"});
  Add("ArgMax", "best", {"parse", "step"});
  Add("AsString", "name", {"best"});
  output("classes", "classes", tf::DT_STRING);
  output("best", "best", tf::DT_INT64);
  output("name", "name", tf::DT_STRING);
  const auto loaded = Load("parse");
  ASSERT_TRUE(loaded) << loaded.error().message();
  ASSERT_EQ(loaded->outputs.size(), 4u);  // best, classes, name, y
  EXPECT_EQ(loaded->signature.outputs[0].dtype, DType::kInt64);
  EXPECT_EQ(loaded->outputs[0].largest, 1u);
  EXPECT_THAT(loaded->outputs[0].labels, ElementsAre());
  EXPECT_FALSE(loaded->outputs[1].value);
  EXPECT_THAT(loaded->outputs[1].labels, ElementsAre("0", "1"));
  EXPECT_EQ(loaded->outputs[1].shape, (Shape{-1, 2}));
  EXPECT_THAT(loaded->outputs[2].labels, ElementsAre("0", "1"));
  EXPECT_EQ(loaded->outputs[2].shape, (Shape{-1}));
  EXPECT_FALSE(loaded->outputs[3].largest);
  Add("ExpandDims", "tall", {"digits", "step"});  // a column
  Add("Tile", "columns", {"tall", "multiples"});
  output("classes", "columns", tf::DT_STRING);
  EXPECT_THAT(LoadError("parse"), HasSubstr("Headrace does not know the operation AsString in this place"));
  output("classes", "classes", tf::DT_INT32);
  EXPECT_THAT(LoadError("parse"), HasSubstr("its output 'classes' is int32, which is not what the graph makes"));
  output("classes", "parse:1", tf::DT_STRING);
  EXPECT_THAT(LoadError("parse"), HasSubstr("its output 'classes' is string, which is not what the graph makes"));
}

}  // namespace
}  // namespace headrace::savedmodel
