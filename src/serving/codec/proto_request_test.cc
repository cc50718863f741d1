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

}  // namespace
}  // namespace headrace::serving
