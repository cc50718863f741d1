#include "apps/evaluation/confusion_matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "headrace/error.h"

#include "apps/evaluation/confusion_matrix_picture.h"

namespace headrace::apps {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// 4 cats: 3 right, 1 called a dog. 5 dogs: 2 right, 2 called cats, 1 a frog. 1 frog: called a dog. No newt.
ConfusionMatrix Animals() {
  ConfusionMatrix matrix({"cat", "dog", "frog", "newt"});
  const std::pair<int, int> pairs[] = {{0, 0}, {0, 0}, {0, 0}, {0, 1}, {1, 1}, {1, 1}, {1, 0}, {1, 0}, {1, 2}, {2, 1}};
  for (const auto& [truth, predicted] : pairs) matrix.Add(truth, predicted);
  return matrix;
}

TEST(ConfusionMatrix, CountsByHand) {
  const ConfusionMatrix matrix = Animals();
  EXPECT_EQ(matrix.total(), 10);
  EXPECT_EQ(matrix.correct(), 5);
  EXPECT_DOUBLE_EQ(matrix.accuracy(), 0.5);
  EXPECT_EQ(matrix.count(1, 0), 2);
  EXPECT_EQ(matrix.count(0, 1), 1);
  EXPECT_DOUBLE_EQ(matrix.share(1, 0), 0.4);

  const ClassMetrics cat = matrix.Of(0);  // predicted 5 times, 3 right, of 4
  EXPECT_DOUBLE_EQ(cat.precision, 3.0 / 5);
  EXPECT_DOUBLE_EQ(cat.recall, 3.0 / 4);
  EXPECT_DOUBLE_EQ(cat.f1, 2.0 / 3);  // 2 * 0.6 * 0.75 / 1.35
  EXPECT_EQ(cat.support, 4);
  const ClassMetrics dog = matrix.Of(1);  // predicted 4 times, 2 right, of 5
  EXPECT_DOUBLE_EQ(dog.precision, 0.5);
  EXPECT_DOUBLE_EQ(dog.recall, 0.4);
  EXPECT_DOUBLE_EQ(dog.f1, 4.0 / 9);

  const ClassMetrics mean = matrix.MacroAverage();
  EXPECT_DOUBLE_EQ(mean.precision, (0.6 + 0.5 + 0 + 0) / 4);
  EXPECT_DOUBLE_EQ(mean.recall, (0.75 + 0.4 + 0 + 0) / 4);
  EXPECT_DOUBLE_EQ(mean.f1, (2.0 / 3 + 4.0 / 9) / 4);
  EXPECT_EQ(mean.support, 10);
}

TEST(ConfusionMatrix, NothingDividesByZero) {
  const ConfusionMatrix empty({"a", "b"});
  EXPECT_EQ(empty.accuracy(), 0);
  EXPECT_EQ(empty.Of(0).f1, 0);
  EXPECT_EQ(Animals().Of(3).precision, 0);
  EXPECT_EQ(Animals().Of(3).recall, 0);
  EXPECT_EQ(Animals().share(3, 0), 0);
}

TEST(ConfusionMatrix, RefusesUnknownClasses) {
  ConfusionMatrix matrix({"a", "b"});
  EXPECT_THROW(matrix.Add(2, 0), Error);
  EXPECT_THROW(matrix.Add(0, -1), Error);
}

TEST(ConfusionMatrix, Text) {
  EXPECT_EQ(ToText(Animals()),
            "rows: true class, columns: predicted class\n"
            "          cat   dog  frog  newt\n"
            "cat         3     1     .     .\n"
            "dog         2     2     1     .\n"
            "frog        .     1     .     .\n"
            "newt        .     .     .     .\n"
            "\n"
            "class          precision  recall      f1  images\n"
            "cat                0.600   0.750   0.667       4\n"
            "dog                0.500   0.400   0.444       5\n"
            "frog               0.000   0.000   0.000       1\n"
            "newt               0.000   0.000   0.000       0\n"
            "macro average      0.275   0.287   0.278      10\n");
}

TEST(ConfusionMatrix, Json) {
  const nlohmann::json json = ToJson(Animals());
  EXPECT_EQ(json["accuracy"], 0.5);
  EXPECT_EQ(json["images"], 10);
  EXPECT_EQ(json["classes"][1]["name"], "dog");
  EXPECT_EQ(json["classes"][1]["recall"], 0.4);
  EXPECT_EQ(json["confusion_matrix"][1], (std::vector<int>{2, 2, 1, 0}));
}

TEST(ConfusionMatrixPicture, IsSvgAndPng) {
  const ConfusionMatrix matrix = Animals();
  EXPECT_THAT(DrawSvg(matrix), StartsWith("<?xml"));
  EXPECT_THAT(DrawSvg(matrix), HasSubstr("</svg>"));
  EXPECT_THAT(DrawPng(matrix), StartsWith("\x89PNG\r\n"));
  EXPECT_TRUE(DrawPng(matrix) == DrawPng(matrix));
}

}  // namespace
}  // namespace headrace::apps
