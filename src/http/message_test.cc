#include "http/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::http {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(HeadersTest, NamesCompareWithoutCase) {
  Headers headers;
  headers.Add("Content-Type", "text/plain");
  headers.Set("content-type", "text/html");
  EXPECT_EQ(headers.Get("CONTENT-TYPE"), "text/html");
  EXPECT_EQ(headers.fields().size(), 1U);
  headers.Remove("Content-type");
  EXPECT_FALSE(headers.Has("Content-Type"));
}

TEST(MediaTypeTest, IsLowerCaseWithoutParameters) {
  EXPECT_EQ(MediaType("Text/CSV ; charset=utf-8"), "text/csv");
  EXPECT_EQ(MediaType("application/json"), "application/json");
  EXPECT_EQ(MediaType(""), "");
}

TEST(PercentTest, GoesBothWays) {
  EXPECT_EQ(PercentEncode("a b/ä~", true), "a%20b/%C3%A4~");
  EXPECT_EQ(PercentEncode("a/b", false), "a%2Fb");
  EXPECT_EQ(PercentDecode("a%20b%2fc+d%zz%4"), "a b/c+d%zz%4");
}

TEST(QueryTest, KeepsOrderAndEmptyValues) {
  EXPECT_THAT(QueryParameters("uploads&prefix=a%2Fb+c&&x=1=2"),
              ElementsAre(Pair("uploads", ""), Pair("prefix", "a/b c"), Pair("x", "1=2")));
}

}  // namespace
}  // namespace headrace::http
