#include "jobs/transform/json_path.h"

#include <gmock/gmock.h>

namespace headrace::jobs {
namespace {

using testing::HasSubstr;

const JsonPath::Json& Document() {
  static const auto document = JsonPath::Json::parse(
      R"({"id": 7, "a": {"b": [1, 2, 3, 4], "x y": true}, "rows": [{"v": 1, "w": 2}, {"v": 3}, {"w": 4}], "z": null})");
  return document;
}

std::string Select(const char* path, const JsonPath::Json& document = Document()) {
  const auto parsed = JsonPath::Parse(path);
  if (!parsed) return parsed.error().message();
  const auto found = parsed->Select(document);
  return found ? found->dump() : found.error().message();
}

TEST(JsonPath, FindsOneValue) {
  EXPECT_EQ(Select("$"), Document().dump());
  EXPECT_EQ(Select("$.id"), "7");
  EXPECT_EQ(Select("$.a.b"), "[1,2,3,4]");
  EXPECT_EQ(Select("$['a']['x y']"), "true");
  EXPECT_EQ(Select("$[\"a\"].b[0]"), "1");
  EXPECT_EQ(Select("$.a.b[-1]"), "4");
  EXPECT_EQ(Select("$.['id']"), "7");
  EXPECT_EQ(Select("$.z"), "null");
}

TEST(JsonPath, SlicesAndUnionsFindArrays) {
  EXPECT_EQ(Select("$.a.b[1:]"), "[2,3,4]");
  EXPECT_EQ(Select("$.a.b[:2]"), "[1,2]");
  EXPECT_EQ(Select("$.a.b[1:3]"), "[2,3]");
  EXPECT_EQ(Select("$.a.b[:-1]"), "[1,2,3]");
  EXPECT_EQ(Select("$.a.b[-2:]"), "[3,4]");
  EXPECT_EQ(Select("$.a.b[-9:9]"), "[1,2,3,4]");
  EXPECT_EQ(Select("$.a.b[3:1]"), "[]");
  EXPECT_EQ(Select("$.a.b[0,2]"), "[1,3]");
  EXPECT_EQ(Select("$.a.b[0, 2:]"), "[1,3,4]");
  EXPECT_EQ(Select("$.a.b[2,0,2,0:]"), "[3,1,2,4]");  // none twice
}

TEST(JsonPath, WildcardsLeaveOutWhatLeadsNowhere) {
  EXPECT_EQ(Select("$.rows[*].v"), "[1,3]");
  EXPECT_EQ(Select("$.rows.*.w"), "[2,4]");
  EXPECT_EQ(Select("$.a.*"), "[[1,2,3,4],true]");
  EXPECT_EQ(Select("$.rows[1:].v"), "[3]");
  EXPECT_EQ(Select("$.rows[*]['v','w']"), "[1,2]");
}

TEST(JsonPath, SeveralNamesFindAnObject) {
  EXPECT_EQ(Select("$['z','id']"), R"({"z":null,"id":7})");
  EXPECT_EQ(Select("$.a['x y', 'b']"), R"({"x y":true,"b":[1,2,3,4]})");
}

TEST(JsonPath, NamesWhatIsMissing) {
  EXPECT_EQ(Select("$.none"), "there is no member 'none' in an object");
  EXPECT_EQ(Select("$.id.b"), "there is no member 'b' in a number");
  EXPECT_EQ(Select("$.a.b[4]"), "there is no index 4 in an array of 4");
  EXPECT_EQ(Select("$.a.b[-5]"), "there is no index -5 in an array of 4");
  EXPECT_EQ(Select("$.a.b[0,4]"), "there is no index 4 in an array of 4");
  EXPECT_EQ(Select("$[0]"), "wanted an array, found an object");
  EXPECT_EQ(Select("$.id[*]"), "* wants an array or object, found a number");
  EXPECT_EQ(Select("$['id','none']"), "there is no member 'none' in an object");
}

TEST(JsonPath, RefusesWhatItDoesNotHave) {
  EXPECT_THAT(Select(""), HasSubstr("found its end, wanted $"));
  EXPECT_THAT(Select("a.b"), HasSubstr("found 'a' at character 1, wanted $"));
  EXPECT_THAT(Select("$..a"), HasSubstr("found '.' at character 3, wanted a name"));
  EXPECT_THAT(Select("$."), HasSubstr("found its end"));
  EXPECT_THAT(Select("$a"), HasSubstr("wanted a dot or ["));
  EXPECT_THAT(Select("$[?(@.a)]"), HasSubstr("found '?' at character 3"));
  EXPECT_THAT(Select("$[0:4:2]"), HasSubstr("found ':' at character 6"));
  EXPECT_THAT(Select("$['a"), HasSubstr("wanted a quotation mark"));
  EXPECT_THAT(Select("$['a',0]"), HasSubstr("wanted a name in quotation marks"));
  EXPECT_THAT(Select("$[99999999999999999999]"), HasSubstr("a number of this range"));
  EXPECT_THAT(Select("$[1"), HasSubstr("] or a comma"));
}

}  // namespace
}  // namespace headrace::jobs
