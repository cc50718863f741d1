#include "store/meta/tags.h"

#include <gmock/gmock.h>

#include "base/testing/temporary_directory.h"

namespace headrace::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(Tags, AreAddedReplacedAndRemovedByKey) {
  const TemporaryDirectory directory;
  const auto database = Database::Open(directory / "meta.db").value();
  Tags tags(*database);
  ASSERT_TRUE(tags.Add("1", "arn", {{"b", "2"}, {"a", "1"}}));
  ASSERT_TRUE(tags.Add("1", "arn", {{"b", "3"}}));
  EXPECT_THAT(tags.List("1", "arn").value(), ElementsAre(Pair("a", "1"), Pair("b", "3")));
  EXPECT_THAT(tags.List("2", "arn").value(), IsEmpty());
  ASSERT_TRUE(tags.Remove("1", "arn", {"a", "absent"}));
  EXPECT_THAT(tags.List("1", "arn").value(), ElementsAre(Pair("b", "3")));
}

TEST(Tags, RefusesMoreThanFiftyAndAddsNone) {
  const TemporaryDirectory directory;
  const auto database = Database::Open(directory / "meta.db").value();
  Tags tags(*database);
  TagList many;
  for (int i = 0; i < 51; ++i) many.emplace_back(std::to_string(i), "");
  const auto status = tags.Add("1", "arn", many);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(tags.List("1", "arn").value(), IsEmpty());
}

}  // namespace
}  // namespace headrace::store
