#include "serving/codec/classify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::serving {
namespace {

using ::testing::HasSubstr;

Signature Outputs(std::vector<TensorInfo> outputs) {
  return {"s", "tensorflow/serving/predict", {{"x", DType::kFloat32, {-1, 2}}}, std::move(outputs)};
}
const TensorInfo kScores{"scores", DType::kFloat32, {-1, 10}};
const TensorInfo kValue{"outputs", DType::kFloat32, {-1, 1}};

TEST(Classify, TakesTheNamedOutputOrTheOnlyOne) {
  EXPECT_EQ(ClassifyOutput(Outputs({kValue, kScores})), 1u);
  EXPECT_EQ(ClassifyOutput(Outputs({{"softmax", DType::kFloat32, {-1, 3}}})), 0u);
  EXPECT_EQ(RegressOutput(Outputs({kScores, kValue})), 1u);
  EXPECT_EQ(RegressOutput(Outputs({{"y", DType::kFloat32, {-1}}})), 0u);
}

TEST(Classify, SaysWhatASignatureLacks) {
  const auto classify = ClassifyOutput(Outputs({kValue, {"logits", DType::kFloat32, {-1, 10}}}));
  ASSERT_FALSE(classify);
  EXPECT_THAT(classify.error().message(), HasSubstr("to contain at least one of \"classes\" or \"scores\""));
  const auto images = ClassifyOutput(Outputs({{"image", DType::kFloat32, {-1, 8, 8, 3}}}));
  ASSERT_FALSE(images);
  EXPECT_THAT(images.error().message(), HasSubstr("[batch_size num_classes] but got (None, 8, 8, 3)"));
  const auto regress = RegressOutput(Outputs({kScores}));
  ASSERT_FALSE(regress);
  EXPECT_THAT(regress.error().message(), HasSubstr("[batch_size] or [batch_size, 1] but got (None, 10)"));
  const auto name = CheckMethodName(Outputs({kScores}), "classify");
  ASSERT_FALSE(name);
  EXPECT_EQ(name.error().message(),
            "Expected classification signature method_name to be tensorflow/serving/classify. Was: "
            "tensorflow/serving/predict");
}

}  // namespace
}  // namespace headrace::serving
