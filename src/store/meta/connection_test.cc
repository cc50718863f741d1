#include "store/meta/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::store {
namespace {

class QueryTest : public testing::Test {
 protected:
  QueryTest() {
    connection_.exec("CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b')");
  }

  std::vector<std::string> Values() {
    std::vector<std::string> values;
    Query rows(connection_, "SELECT v FROM t ORDER BY k");
    while (rows.executeStep()) values.push_back(rows.getColumn(0).getString());
    return values;
  }

  Connection connection_{":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
};

TEST_F(QueryTest, OneTextMayBeInUseTwiceAtATime) {
  const std::string text = "SELECT v FROM t ORDER BY k";
  Query outer(connection_, text);
  ASSERT_TRUE(outer.executeStep());
  {
    Query inner(connection_, text);
    ASSERT_TRUE(inner.executeStep());
    ASSERT_TRUE(inner.executeStep());
    EXPECT_EQ(inner.getColumn(0).getString(), "b");
  }
  EXPECT_EQ(outer.getColumn(0).getString(), "a");
  EXPECT_TRUE(outer.executeStep());
  EXPECT_FALSE(outer.executeStep());
}

TEST_F(QueryTest, TheNextUseBeginsAtTheBeginningWithNothingBound) {
  const std::string text = "SELECT ?, v FROM t ORDER BY k";
  {
    Query first(connection_, text);
    first.bind(1, "left behind");
    ASSERT_TRUE(first.executeStep());
    EXPECT_EQ(first.getColumn(0).getString(), "left behind");
  }
  Query second(connection_, text);
  ASSERT_TRUE(second.executeStep());
  EXPECT_TRUE(second.getColumn(0).isNull());
  EXPECT_EQ(second.getColumn(1).getString(), "a");
}

TEST_F(QueryTest, WhatFailedCanBeUsedAgain) {
  const auto insert = [&](int key) {
    Query query(connection_, "INSERT INTO t VALUES (?, 'c')");
    query.bind(1, key);
    return query.exec();
  };
  EXPECT_THROW(insert(1), SQLite::Exception);
  EXPECT_EQ(insert(3), 1);
  EXPECT_THAT(Values(), testing::ElementsAre("a", "b", "c"));
}

TEST_F(QueryTest, OutlivesAChangeOfTheSchema) {
  EXPECT_THAT(Values(), testing::ElementsAre("a", "b"));
  connection_.exec("ALTER TABLE t ADD COLUMN w TEXT DEFAULT 'new'; UPDATE t SET v = w WHERE k = 2");
  EXPECT_THAT(Values(), testing::ElementsAre("a", "new"));
}

TEST_F(QueryTest, AnyNumberOfTexts) {
  for (int i = 0; i < 1000; ++i) {
    Query query(connection_, "SELECT " + std::to_string(i));
    ASSERT_TRUE(query.executeStep());
    EXPECT_EQ(query.getColumn(0).getInt(), i);
  }
  EXPECT_THAT(Values(), testing::ElementsAre("a", "b"));
}

}  // namespace
}  // namespace headrace::store
