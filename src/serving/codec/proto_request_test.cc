#include "serving/codec/proto_request.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serving/codec/codec_testing.h"

namespace headrace::serving {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::SmallSignature;
using testing::TwoInputs;

constexpr size_t kLimit = size_t{1} << 20;

std::vector<float> Values(const Tensor& tensor) { return {tensor.data<float>(), tensor.data<float>() + tensor.size()}; }

tf::TensorProto Proto(tf::DataType type, std::initializer_list<int64_t> dims) {
  tf::TensorProto proto;
  proto.set_dtype(type);
  for (const int64_t dim : dims) proto.mutable_tensor_shape()->add_dim()->set_size(dim);
  return proto;
}

TEST(ProtoInputs, TakesContentAndTypedValues) {
  tfs::PredictRequest request;
  tf::TensorProto& x = (*request.mutable_inputs())["x"];
  x = Proto(tf::DT_FLOAT, {1, 2, 3});
  for (int i = 1; i <= 6; ++i) x.add_float_val(static_cast<float>(i));
  auto inputs = ProtoInputs(request, SmallSignature(), kLimit);
  ASSERT_TRUE(inputs) << inputs.error().what();
  EXPECT_THAT(Values(inputs->tensors[0]), ElementsAre(1, 2, 3, 4, 5, 6));

  x.clear_float_val();
  const float content[] = {6, 5, 4, 3, 2, 1};
  x.set_tensor_content(content, sizeof content);
  inputs = ProtoInputs(request, SmallSignature(), kLimit);
  ASSERT_TRUE(inputs);
  EXPECT_THAT(Values(inputs->tensors[0]), ElementsAre(6, 5, 4, 3, 2, 1));
}

TEST(ProtoInputs, NamesWhatIsExtraAndMissing) {
  tfs::PredictRequest request;
  (*request.mutable_inputs())["a"] = Proto(tf::DT_FLOAT, {1, 2});
  (*request.mutable_inputs())["c"] = Proto(tf::DT_FLOAT, {1, 2});
  const auto inputs = ProtoInputs(request, TwoInputs(), kLimit);
  ASSERT_FALSE(inputs);
  EXPECT_EQ(inputs.error().message(),
            "input size does not match signature: 2!=2 len({a,c}) != len({a,b}). Sent extra: {c}. Missing but "
            "required: {b}.");
}

TEST(ProtoInputs, RefusesOtherTypesShapesAndUnequalRows) {
  const auto error = [](const tf::TensorProto& a, const tf::TensorProto& b) -> std::string {
    tfs::PredictRequest request;
    (*request.mutable_inputs())["a"] = a;
    (*request.mutable_inputs())["b"] = b;
    const auto inputs = ProtoInputs(request, TwoInputs(), kLimit);
    return inputs ? "" : inputs.error().message();
  };
  const auto a = Proto(tf::DT_FLOAT, {3, 2}), b = Proto(tf::DT_INT32, {3, 1});
  EXPECT_EQ(error(a, b), "");
  EXPECT_THAT(error(Proto(tf::DT_STRING, {3, 2}), b), HasSubstr("input 'a': found DT_STRING, wanted DT_FLOAT"));
  EXPECT_THAT(error(Proto(static_cast<tf::DataType>(77), {3, 2}), b), HasSubstr("found type 77"));
  EXPECT_THAT(error(Proto(tf::DT_FLOAT, {3, 3}), b), HasSubstr("found shape (3, 3), wanted (None, 2)"));
  EXPECT_THAT(error(Proto(tf::DT_FLOAT, {}), b), HasSubstr("wanted (None, 2)"));
  EXPECT_THAT(error(Proto(tf::DT_FLOAT, {0, 2}), b), HasSubstr("wanted (None, 2)"));
  EXPECT_THAT(error(Proto(tf::DT_FLOAT, {-1, 2}), b), HasSubstr("input 'a'"));
  EXPECT_THAT(error(a, Proto(tf::DT_INT32, {2, 1})), HasSubstr("input 'b' has 2 rows, 'a' has 3"));
  EXPECT_THAT(error(Proto(tf::DT_FLOAT, {int64_t{1} << 40, 2}), b), HasSubstr("exceeds the limit"));
}

tf::Example Features(std::initializer_list<std::pair<const char*, std::vector<float>>> features) {
  tf::Example example;
  for (const auto& [name, values] : features) {
    auto& list = *(*example.mutable_features()->mutable_feature())[name].mutable_float_list();
    for (const float value : values) list.add_value(value);
  }
  return example;
}

TEST(ExampleInputs, TakesWhatAnExampleLacksFromTheContext) {
  tfs::Input input;
  auto& list = *input.mutable_example_list_with_context();
  *list.add_examples() = Features({{"a", {1, 2}}});
  *list.add_examples() = Features({{"a", {3, 4}}});
  (*list.mutable_context()->mutable_features()->mutable_feature())["b"].mutable_int64_list()->add_value(7);
  const auto inputs = ExampleInputs(input, TwoInputs());
  ASSERT_TRUE(inputs) << inputs.error().what();
  EXPECT_EQ(inputs->rows(), 2);
  EXPECT_THAT(Values(inputs->tensors[0]), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Values(inputs->tensors[1].Cast(DType::kFloat32)), ElementsAre(7, 7));
}

TEST(ExampleInputs, SayWhatIsWrong) {
  const auto error = [](const tf::Example& example) -> std::string {
    tfs::Input input;
    *input.mutable_example_list()->add_examples() = example;
    const auto inputs = ExampleInputs(input, SmallSignature());
    return inputs ? "" : inputs.error().message();
  };
  EXPECT_EQ(error(Features({{"x", {1, 2, 3, 4, 5, 6}}})), "");
  EXPECT_THAT(error(Features({{"y", {1}}})), HasSubstr("example 0: Missing named input: x"));
  EXPECT_THAT(error(Features({{"x", {1}}})), HasSubstr("feature 'x' has 1 values, wanted 6"));
  tf::Example bytes;
  auto& feature = (*bytes.mutable_features()->mutable_feature())["x"];
  EXPECT_THAT(error(bytes), HasSubstr("feature 'x' is empty"));
  feature.mutable_bytes_list()->add_value("abc");
  EXPECT_THAT(error(bytes), HasSubstr("is not one value of 24 bytes"));
  *feature.mutable_bytes_list()->mutable_value(0) = std::string(24, '\0');
  EXPECT_EQ(error(bytes), "");
  const auto none = ExampleInputs({}, SmallSignature());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message(), "Input is empty.");
}

TEST(SetOutputs, GivesTheOutputsThatTheFilterNames) {
  const std::vector<Tensor> outputs = {Tensor::FromVector(std::vector<float>{1, 2}, {2, 1}),
                                       Tensor::FromVector(std::vector<float>{1, 2, 3, 4}, {2, 2})};
  tfs::PredictResponse all, one, none;
  ASSERT_TRUE(SetOutputs(TwoInputs(), outputs, all, {}));
  EXPECT_EQ(all.outputs().size(), 2u);
  EXPECT_THAT(all.outputs().at("q").float_val(), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(all.outputs().at("q").tensor_shape().dim(1).size(), 2);
  ASSERT_TRUE(SetOutputs(TwoInputs(), outputs, one, {"p"}));
  EXPECT_EQ(one.outputs().size(), 1u);
  const auto refused = SetOutputs(TwoInputs(), outputs, none, {"r"});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("output tensor alias not found in signature: r"));
}

// ---------------------------------------------------------------------------------------------------- strings

tf::Example StringsExample(float first) {
  tf::Example example = Features({{"x", {first, 2}}});
  (*example.mutable_features()->mutable_feature())["image"].mutable_bytes_list()->add_value("abc");
  return example;
}

TEST(ProtoInputs, DecodesStrings) {
  tfs::PredictRequest request;
  tf::TensorProto& examples = (*request.mutable_inputs())["examples"];
  examples = Proto(tf::DT_STRING, {2});
  for (const float first : {1.0f, 3.0f}) examples.add_string_val(StringsExample(first).SerializeAsString());
  const Signature signature = testing::ExamplesSignature();
  const auto inputs = ProtoInputs(request, signature, kLimit);
  ASSERT_TRUE(inputs) << inputs.error().what();
  EXPECT_THAT(Values(inputs->tensors[0]), ElementsAre(1, 2, 3, 2));
  EXPECT_EQ(inputs->tensors[1].data<int64_t>()[1], 7);
  const auto error = [&] { return ProtoInputs(request, signature, kLimit).error().message(); };
  examples.set_string_val(1, "\n\5");
  EXPECT_THAT(error(), HasSubstr("input 'examples', row 1: malformed tf.Example"));
  examples.mutable_tensor_shape()->mutable_dim(0)->set_size(int64_t{1} << 40);
  EXPECT_THAT(error(), HasSubstr("2 strings in string_val for shape (1099511627776,), wanted 1099511627776"));
  examples = Proto(tf::DT_FLOAT, {2});
  EXPECT_THAT(error(), HasSubstr("found DT_FLOAT, wanted DT_STRING"));
  examples = Proto(tf::DT_STRING, {2, 1});
  EXPECT_THAT(error(), HasSubstr("found shape (2, 1), wanted (None,)"));
}

TEST(ProtoInputs, StringsBesideAnOrdinaryInput) {
  tfs::PredictRequest request;
  tf::TensorProto &raw = (*request.mutable_inputs())["raw"], &x = (*request.mutable_inputs())["x"];
  raw = Proto(tf::DT_STRING, {1, 1});
  raw.add_string_val(std::string("\2\0\0\0", 4));
  x = Proto(tf::DT_FLOAT, {1, 2});
  const auto inputs = ProtoInputs(request, testing::RawSignature(), kLimit);
  ASSERT_TRUE(inputs) << inputs.error().what();
  EXPECT_EQ(inputs->tensors[0].shape(), (Shape{1, 2}));
  EXPECT_EQ(inputs->tensors[1].data<int32_t>()[0], 2);
  x = Proto(tf::DT_FLOAT, {3, 2});
  EXPECT_THAT(ProtoInputs(request, testing::RawSignature(), kLimit).error().message(),
              HasSubstr("input 'x' has 3 rows, 'raw' has 1"));
}

TEST(ExampleInputs, SerializesExamplesWithTheirContext) {
  tfs::Input input;
  auto& list = *input.mutable_example_list_with_context();
  *list.add_examples() = StringsExample(1);
  *list.add_examples() = StringsExample(5);
  list.mutable_examples(0)->mutable_features()->mutable_feature()->erase("x");
  *list.mutable_context() = Features({{"x", {8, 9}}});
  const auto inputs = ExampleInputs(input, testing::ExamplesSignature());
  ASSERT_TRUE(inputs) << inputs.error().what();
  EXPECT_THAT(Values(inputs->tensors[0]), ElementsAre(8, 9, 5, 2));
  list.clear_context();
  EXPECT_THAT(ExampleInputs(input, testing::ExamplesSignature()).error().message(),
              HasSubstr("row 0: feature 'x' (data type: float) is required but could not be found: it has no default; "
                        "the Example has image"));
  EXPECT_THAT(ExampleInputs(input, testing::RawSignature()).error().message(), HasSubstr("Expected one input Tensor"));
}

TEST(SetClassifications, TellsLabelsAndScores) {
  Signature signature{"s", "", {}, {{"classes", DType::kInt32, {-1, 2}}, {"scores", DType::kFloat32, {-1, 2}}}};
  signature.labels = {{"a", "b"}, {}};
  Tensor numbers(DType::kInt32, {1, 2});
  numbers.data<int32_t>()[0] = 1;
  numbers.data<int32_t>()[1] = 0;
  const std::vector<Tensor> outputs = {numbers, Tensor::FromVector(std::vector<float>{0.5f, 2}, {1, 2})};
  tfs::ClassificationResult result;
  ASSERT_TRUE(SetClassifications(signature, outputs, result));
  EXPECT_EQ(result.classifications(0).classes(0).label(), "b");
  EXPECT_EQ(result.classifications(0).classes(1).label(), "a");
  EXPECT_EQ(result.classifications(0).classes(1).score(), 2);
  tfs::PredictResponse response;
  ASSERT_TRUE(SetOutputs(signature, outputs, response, {}));
  EXPECT_EQ(response.outputs().at("classes").dtype(), tf::DT_STRING);
  EXPECT_THAT(response.outputs().at("classes").string_val(), ElementsAre("b", "a"));
  signature.outputs[0].shape = {-1, 3};
  EXPECT_THAT(SetClassifications(signature, outputs, result).error().message(),
              HasSubstr("output 'classes' has shape (None, 3), wanted the scores' (None, 2)"));
}

}  // namespace
}  // namespace headrace::serving
