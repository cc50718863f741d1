#include "api/validation/shape.h"

#include <gtest/gtest.h>

namespace headrace::api {
namespace {

using Json = nlohmann::json;

std::string MessageFor(const Shape& shape, const Json& input) {
  const auto error = Validate(shape, input);
  return error ? error->code + ": " + error->message : "";
}

Shape Sample() {
  return Shape::Structure({{"JobName", Shape::Text(1, 5, "[a-z]+"), true},
                           {"Mode", Shape::Enum({"Pipe", "File"})},
                           {"Count", Shape::Integer(1, 3)},
                           {"Flag", Shape::Boolean()},
                           {"Since", Shape::Timestamp()},
                           {"Items", Shape::List(Shape::ClosedStructure({{"Name", Shape::Text(1, 9), true}}), 1, 2)},
                           {"Values", Shape::Map(Shape::Text(0, 3), Shape::Text(0, 4), 2)}});
}

TEST(Shape, LetsGoodAndUnknownMembersThrough) {
  EXPECT_EQ(MessageFor(Sample(), {{"JobName", "abc"},
                                  {"Mode", "File"},
                                  {"Count", 2.0},
                                  {"Flag", true},
                                  {"Since", "2026-01-02T03:04:05Z"},
                                  {"Items", {{{"Name", "n"}}}},
                                  {"Values", {{"a", "b"}}},
                                  {"Newer", 1},
                                  {"Absent", nullptr}}),
            "");
}

TEST(Shape, CollectsEveryViolationInTheServicesWords) {
  EXPECT_EQ(MessageFor(Sample(), {{"Mode", "file"}, {"Count", 0}, {"Items", Json::array()}}),
            "ValidationException: 4 validation errors detected: "
            "Value null at 'jobName' failed to satisfy constraint: Member must not be null; "
            "Value 'file' at 'mode' failed to satisfy constraint: Member must satisfy enum value set: [Pipe, File]; "
            "Value '0' at 'count' failed to satisfy constraint: Member must have value greater than or equal to 1; "
            "Value '[]' at 'items' failed to satisfy constraint: Member must have length greater than or equal to 1");
  EXPECT_EQ(MessageFor(Sample(), {{"JobName", "TOOLONG"}}),
            "ValidationException: 2 validation errors detected: "
            "Value 'TOOLONG' at 'jobName' failed to satisfy constraint: Member must have length less than or equal to "
            "5; Value 'TOOLONG' at 'jobName' failed to satisfy constraint: Member must satisfy regular expression "
            "pattern: [a-z]+");
}

TEST(Shape, NamesListMembersByPositionAndMapEntriesByKey) {
  EXPECT_EQ(
      MessageFor(Sample(), {{"JobName", "a"}, {"Items", {{{"Name", "n"}}, {{"Nmae", "n"}}}}}),
      "ValidationException: 2 validation errors detected: "
      "Value null at 'items.2.member.name' failed to satisfy constraint: Member must not be null; "
      "Value 'n' at 'items.2.member.nmae' failed to satisfy constraint: Member is not known here; a misspelling?");
  EXPECT_EQ(
      MessageFor(Sample(), {{"JobName", "a"}, {"Values", {{"k", "too long"}}}}),
      "ValidationException: 1 validation error detected: Value '{\"k\":\"too long\"}' at 'values' failed to satisfy "
      "constraint: Map value must satisfy constraint: [Member must have length less than or equal to 4]");
}

TEST(Shape, CountsCharactersAndShortensWhatItShows) {
  EXPECT_EQ(MessageFor(Shape::Structure({{"T", Shape::Text(0, 3)}}), {{"T", "äöü"}}), "");
  const std::string message = MessageFor(Shape::Structure({{"T", Shape::Text(0, 3)}}), {{"T", std::string(9999, 'x')}});
  EXPECT_LT(message.size(), 500U);
}

TEST(Shape, RefusesWrongTypes) {
  EXPECT_EQ(MessageFor(Sample(), {{"JobName", 7}}),
            "SerializationException: Value '7' at 'jobName' cannot be read: it must be a string");
  EXPECT_EQ(MessageFor(Sample(), {{"JobName", "a"}, {"Count", 1.5}}),
            "SerializationException: Value '1.5' at 'count' cannot be read: it must be an integer");
  EXPECT_EQ(MessageFor(Sample(), {{"JobName", "a"}, {"Since", "yesterday"}}),
            "SerializationException: Value 'yesterday' at 'since' cannot be read: it must be a timestamp");
  EXPECT_EQ(MessageFor(Sample(), {{"JobName", "a"}, {"Values", {{"k", 1}}}}),
            "SerializationException: Value '1' at 'values.k' cannot be read: it must be a string");
}

}  // namespace
}  // namespace headrace::api
