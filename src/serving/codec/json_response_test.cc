#include "serving/codec/json_response.h"

#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "serving/codec/codec_testing.h"

namespace headrace::serving {
namespace {

std::string Number(float value) {
  std::string text;
  AppendNumber(value, text);
  return text;
}

TEST(JsonResponse, NumbersAreTheShortestThatReadBack) {
  EXPECT_EQ(Number(1), "1.0");
  EXPECT_EQ(Number(0.1f), "0.1");
  EXPECT_EQ(Number(-2.5f), "-2.5");
  EXPECT_EQ(Number(NAN), "NaN");
  EXPECT_EQ(Number(-INFINITY), "-Infinity");
  uint32_t bits = 1;
  for (int i = 0; i < 200000; ++i) {
    bits = bits * 1664525u + 1013904223u;
    float value, back;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    const std::string text = Number(value);
    back = std::strtof(text.c_str(), nullptr);
    ASSERT_EQ(std::memcmp(&value, &back, sizeof value), 0) << text;
    ASSERT_NE(text.find_first_of(".e"), std::string::npos) << text;
  }
}

TEST(JsonResponse, LaidOutAsTensorFlowServing) {
  Signature one = testing::SmallSignature();
  const Tensor y = Tensor::FromVector(std::vector<float>{0.1f, 0.2f, 0.3f, 0.4f}, {2, 2});
  EXPECT_EQ(PredictResponse(one, {y}, true), "{\n    \"predictions\": [[0.1, 0.2], [0.3, 0.4]\n    ]\n}");
  EXPECT_EQ(PredictResponse(one, {y}, false), "{\n    \"outputs\": [[0.1, 0.2], [0.3, 0.4]\n    ]\n}");
  const Tensor p = Tensor::FromVector(std::vector<float>{1, 2}, {2, 1});
  EXPECT_EQ(
      PredictResponse(testing::TwoInputs(), {p, y}, true),
      "{\n    \"predictions\": [\n        {\n            \"p\": [1.0],\n            \"q\": [0.1, 0.2]\n        },\n"
      "        {\n            \"p\": [2.0],\n            \"q\": [0.3, 0.4]\n        }\n    ]\n}");
  EXPECT_EQ(PredictResponse(testing::TwoInputs(), {p, y}, false),
            "{\n    \"outputs\": {\n        \"p\": [[1.0], [2.0]\n        ],\n        \"q\": [[0.1, 0.2], [0.3, 0.4]\n"
            "        ]\n    }\n}");
  EXPECT_EQ(RegressResponse(p), "{\n    \"results\": [1.0, 2.0\n    ]\n}");
  EXPECT_EQ(ClassifyResponse(y),
            "{\n    \"results\": [[[\"\", 0.1], [\"\", 0.2]], [[\"\", 0.3], [\"\", 0.4]]\n    ]\n}");
}

TEST(JsonResponse, StringsAreEscaped) {
  std::string text;
  AppendJsonString("a\"b\\c\n\x01\xc3\xa9\xff", text);
  EXPECT_EQ(text, "\"a\\\"b\\\\c\\n\\u0001\xc3\xa9?\"");
}

TEST(JsonResponse, NumbersThatStandForStrings) {
  Signature signature{"s", "", {}, {{"classes", DType::kInt32, {-1, 2}}, {"scores", DType::kFloat32, {-1, 2}}}};
  signature.labels = {{"a", "\"b\""}, {}};
  Tensor numbers(DType::kInt32, {1, 2});
  numbers.data<int32_t>()[0] = 1;
  numbers.data<int32_t>()[1] = 0;
  const Tensor scores = Tensor::FromVector(std::vector<float>{0.5f, 2}, {1, 2});
  EXPECT_EQ(
      PredictResponse(signature, {numbers, scores}, false),
      "{\n    \"outputs\": {\n        \"classes\": [[\"\\\"b\\\"\", \"a\"]\n        ],\n        \"scores\": [[0.5, "
      "2.0]\n        ]\n    }\n}");
  EXPECT_EQ(ClassifyResponse(scores, numbers, signature.LabelsOf(0)),
            "{\n    \"results\": [[[\"\\\"b\\\"\", 0.5], [\"a\", 2.0]]\n    ]\n}");
}

}  // namespace
}  // namespace headrace::serving
