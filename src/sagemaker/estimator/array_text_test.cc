#include "sagemaker/estimator/array_text.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "headrace/error.h"

namespace headrace::sagemaker {
namespace {

using testing::ElementsAre;

TEST(ArrayText, WritesNestedJson) {
  const std::vector<float> values = {1, 0.5f, -2.25f, 1e-7f};
  EXPECT_EQ(ArrayAsJson(TensorView(values, {2, 2})), "[[1,0.5],[-2.25,1e-07]]");
  EXPECT_EQ(ArrayAsJson(TensorView(values, {1, 2, 2, 1})), "[[[[1],[0.5]],[[-2.25],[1e-07]]]]");
  const std::vector<float> odd = {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()};
  EXPECT_EQ(ArrayAsJson(TensorView(odd, {2})), "[NaN,-Infinity]");
  EXPECT_EQ(ArrayAsJson(TensorView(std::span<const float>(), {0, 3})), "[]");
}

TEST(ArrayText, WritesALineOfCsvForEachRow) {
  const std::vector<uint8_t> values = {1, 2, 3, 250};
  EXPECT_EQ(ArrayAsCsv(TensorView(values, {2, 2})), "1,2\n3,250\n");
}

TEST(ArrayText, WritesNumPysFormat) {
  const std::vector<float> values = {1, 2};
  const std::string npy = ArrayAsNpy(TensorView(values, {2}));
  EXPECT_EQ(npy.size(), 64u + 64u + 8u);
  EXPECT_EQ(npy.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_NE(npy.find("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"), std::string::npos);
  EXPECT_EQ(npy[127], '\n');
}

TEST(ArrayText, ChecksThatDimensionsAndValuesAgree) {
  const std::vector<float> values(6);
  EXPECT_THROW(ArrayAsJson(TensorView(values, {2, 2})), Error);
  EXPECT_THROW(ArrayAsNpy(TensorView(values, {-1, -6})), Error);
  EXPECT_THROW(ArrayAsCsv(TensorView(values, {int64_t{1} << 62, 4})), Error);
}

TEST(ArrayText, ReadsPredictions) {
  const Array array = ArrayOfJson(R"({"predictions": [[0.25, 1], [2, -3e2]]})");
  EXPECT_THAT(array.dims, ElementsAre(2, 2));
  EXPECT_THAT(array.values, ElementsAre(0.25f, 1, 2, -300));
  EXPECT_THAT(array.row(1), ElementsAre(2, -300));
  EXPECT_THAT(ArrayOfJson(R"({"outputs": [1, 2, 3]})").dims, ElementsAre(3));
}

TEST(ArrayText, RefusesRepliesOfAnotherShape) {
  for (const char* body : {"", "{}", "{\"predictions\": 1}", "[[1], [2, 3]]", "[[1], 2]", "[1, [2]]", "[\"a\"]",
                           "{\"predictions\": [{\"a\": 1}]}"})
    EXPECT_THROW(ArrayOfJson(body), Error) << body;
  EXPECT_THROW(ArrayOfJson(std::string(1000, '[') + std::string(1000, ']')), Error);
}

}  // namespace
}  // namespace headrace::sagemaker
