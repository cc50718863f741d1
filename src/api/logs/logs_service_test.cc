#include "api/logs/logs_service.h"

#include <set>

#include <gmock/gmock.h>

#include "api/testing/service_test.h"
#include "store/meta/logs.h"

namespace headrace::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr UnixMillis kHour = 3600 * 1000LL, kDay = 24 * kHour;

class LogsServiceTest : public ServiceTest {
 protected:
  LogsServiceTest() { service_ = LogsService(*database_); }

  void MakeStream(const std::string& stream, const std::string& group = "g") {
    Ask("CreateLogGroup", {{"logGroupName", group}});
    Do("CreateLogStream", {{"logGroupName", group}, {"logStreamName", stream}});
  }
  Json Put(const std::string& stream, std::vector<std::pair<UnixMillis, std::string>> events) {
    Json list = Json::array();
    for (auto& [time, message] : events) list.push_back({{"timestamp", time}, {"message", std::move(message)}});
    return Do("PutLogEvents", {{"logGroupName", "g"}, {"logStreamName", stream}, {"logEvents", list}});
  }
  Json Get(Json more = Json::object()) {
    more["logGroupName"] = "g";
    more["logStreamName"] = "s";
    return Do("GetLogEvents", more);
  }
  static std::vector<std::string> Messages(const Json& reply) {
    std::vector<std::string> messages;
    for (const auto& event : reply["events"]) messages.push_back(event["message"]);
    return messages;
  }
  static std::vector<std::string> StreamNames(const Json& reply) {
    std::vector<std::string> names;
    for (const auto& stream : reply["logStreams"]) names.push_back(stream["logStreamName"]);
    return names;
  }
};

TEST_F(LogsServiceTest, GivesBackWhatWasPut) {
  MakeStream("s");
  const Json put = Put("s", {{kStart, "a"}, {kStart, "b"}, {kStart + 5, "c"}});
  EXPECT_TRUE(put.contains("nextSequenceToken"));
  EXPECT_FALSE(put.contains("rejectedLogEventsInfo"));
  const Json reply = Get({{"startFromHead", true}});
  EXPECT_EQ(reply["events"][0], (Json{{"timestamp", kStart}, {"message", "a"}, {"ingestionTime", kStart}}));
  EXPECT_THAT(Messages(reply), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Messages(Get({{"startFromHead", true}, {"startTime", kStart + 5}})), ElementsAre("c"));
  EXPECT_THAT(Messages(Get({{"startFromHead", true}, {"endTime", kStart + 5}})), ElementsAre("a", "b"));
}

// The loop of the SageMaker SDK: from the head, then token after token until a page is empty, again on the next poll.
TEST_F(LogsServiceTest, APollerSeesEveryEventOnceAndTheSameTokenAtTheEnd) {
  MakeStream("s");
  Put("s", {{kStart, "a"}, {kStart, "b"}, {kStart, "c"}});
  std::vector<std::string> seen;
  std::string token;
  const auto drain = [&] {
    while (true) {
      Json input{{"startFromHead", true}, {"limit", 2}};
      if (!token.empty()) input["nextToken"] = token;
      const Json page = Get(input);
      const auto messages = Messages(page);
      seen.insert(seen.end(), messages.begin(), messages.end());
      EXPECT_TRUE(page.contains("nextBackwardToken"));
      const std::string next = page["nextForwardToken"];
      if (messages.empty()) {
        EXPECT_EQ(next, token);
        return;
      }
      token = next;
    }
  };
  drain();
  EXPECT_THAT(seen, ElementsAre("a", "b", "c"));
  EXPECT_THAT(token, StartsWith("f/"));
  Put("s", {{kStart, "d"}, {kStart + 1, "e"}});
  drain();
  EXPECT_THAT(seen, ElementsAre("a", "b", "c", "d", "e"));
}

TEST_F(LogsServiceTest, TheTokenOfAnEmptyStreamShowsWhatComesLater) {
  MakeStream("s");
  for (const bool from_head : {true, false}) {
    const Json empty = Get({{"startFromHead", from_head}});
    EXPECT_THAT(Messages(empty), IsEmpty());
    Put("s", {{kStart, "late"}});
    EXPECT_THAT(Messages(Get({{"nextToken", empty["nextForwardToken"]}})), ElementsAre("late"));
    Do("DeleteLogStream", {{"logGroupName", "g"}, {"logStreamName", "s"}});
    MakeStream("s");
  }
}

TEST_F(LogsServiceTest, PagesBackwardFromTheNewest) {
  MakeStream("s");
  Put("s", {{kStart, "a"}, {kStart + 1, "b"}, {kStart + 2, "c"}});
  Json page = Get({{"limit", 2}});
  EXPECT_THAT(Messages(page), ElementsAre("b", "c"));
  page = Get({{"limit", 2}, {"nextToken", page["nextBackwardToken"]}});
  EXPECT_THAT(Messages(page), ElementsAre("a"));
  const Json end = Get({{"limit", 2}, {"nextToken", page["nextBackwardToken"]}});
  EXPECT_THAT(Messages(end), IsEmpty());
  EXPECT_EQ(end["nextBackwardToken"], page["nextBackwardToken"]);
  EXPECT_THAT(Messages(Get({{"nextToken", end["nextForwardToken"]}})), ElementsAre("a", "b", "c"));
  for (const char* bad : {"x", "f/1/s", "g/00000000000000000000000000/s", "f/notanumbernotanumbernot/s"}) {
    EXPECT_EQ(Refusal("GetLogEvents", {{"logGroupName", "g"}, {"logStreamName", "s"}, {"nextToken", bad}}),
              "InvalidParameterException: The specified nextToken is invalid.");
  }
}

TEST_F(LogsServiceTest, APageHoldsAMegabyte) {
  MakeStream("s");
  for (int i = 0; i < 3; ++i) Put("s", {{kStart + i, std::string(500'000, 'x')}});
  const Json page = Get({{"startFromHead", true}});
  EXPECT_EQ(page["events"].size(), 2U);
  EXPECT_EQ(Get({{"nextToken", page["nextForwardToken"]}})["events"].size(), 1U);
}

TEST_F(LogsServiceTest, HoldsBatchesToTheirLimits) {
  MakeStream("s");
  const auto refusal = [&](const Json& events) {
    return Refusal("PutLogEvents", {{"logGroupName", "g"}, {"logStreamName", "s"}, {"logEvents", events}});
  };
  EXPECT_THAT(refusal(Json::array()), HasSubstr("'logEvents' failed to satisfy constraint: Member must have length "
                                                "greater than or equal to 1"));
  EXPECT_THAT(refusal({{{"timestamp", kStart}, {"message", ""}}}), HasSubstr("'logEvents.1.member.message'"));
  EXPECT_THAT(refusal({{{"timestamp", kStart + 1}, {"message", "a"}}, {{"timestamp", kStart}, {"message", "b"}}}),
              HasSubstr("must be in chronological order."));
  EXPECT_THAT(
      refusal({{{"timestamp", kStart - 25 * kHour}, {"message", "a"}}, {{"timestamp", kStart}, {"message", "b"}}}),
      HasSubstr("cannot span more than 24 hours."));
  const std::string half(600'000, 'x');
  EXPECT_THAT(refusal({{{"timestamp", kStart}, {"message", half}}, {{"timestamp", kStart}, {"message", half}}}),
              HasSubstr("Upload too large: 1200052 bytes exceeds limit of 1048576"));
  EXPECT_THAT(Messages(Get()), IsEmpty());
}

TEST_F(LogsServiceTest, RejectsEventsOutsideTheWindowAndKeepsTheRest) {
  MakeStream("s");
  Json put = Put("s", {{kStart - 14 * kDay - kHour, "old"}, {kStart - 14 * kDay + kHour, "kept"}});
  EXPECT_EQ(put["rejectedLogEventsInfo"], (Json{{"tooOldLogEventEndIndex", 1}}));
  put = Put("s", {{kStart, "kept too"}, {kStart + 3 * kHour, "new"}, {kStart + 3 * kHour, "newer"}});
  EXPECT_EQ(put["rejectedLogEventsInfo"], (Json{{"tooNewLogEventStartIndex", 1}}));
  Do("PutRetentionPolicy", {{"logGroupName", "g"}, {"retentionInDays", 3}});
  put = Put("s", {{kStart - 4 * kDay, "expired"}});
  EXPECT_EQ(put["rejectedLogEventsInfo"], (Json{{"expiredLogEventEndIndex", 1}}));
  EXPECT_THAT(Messages(Get()), ElementsAre("kept too"));  // the first one has expired
  Do("DeleteRetentionPolicy", {{"logGroupName", "g"}});
  EXPECT_THAT(Messages(Get()), ElementsAre("kept", "kept too"));
}

TEST_F(LogsServiceTest, DescribesStreamsWithATokenOnlyWhenThereAreMore) {
  for (const char* name : {"job/algo-1-1", "job/algo-2-1", "other"}) MakeStream(name);
  const Json input{{"logGroupName", "g"}, {"logStreamNamePrefix", "job/"}, {"orderBy", "LogStreamName"}};
  const Json whole = Do("DescribeLogStreams", input);
  EXPECT_THAT(StreamNames(whole), ElementsAre("job/algo-1-1", "job/algo-2-1"));
  EXPECT_FALSE(whole.contains("nextToken"));
  Json paged = input;
  paged["limit"] = 1;
  const Json first = Do("DescribeLogStreams", paged);
  EXPECT_THAT(StreamNames(first), ElementsAre("job/algo-1-1"));
  paged["nextToken"] = first["nextToken"];
  const Json second = Do("DescribeLogStreams", paged);
  EXPECT_THAT(StreamNames(second), ElementsAre("job/algo-2-1"));
  EXPECT_FALSE(second.contains("nextToken"));

  Put("other", {{kStart, "m"}});
  const Json newest = Do("DescribeLogStreams",
                         {{"logGroupName", "g"}, {"orderBy", "LastEventTime"}, {"descending", true}, {"limit", 1}});
  EXPECT_THAT(StreamNames(newest), ElementsAre("other"));
  EXPECT_EQ(newest["logStreams"][0]["lastEventTimestamp"], kStart);
  EXPECT_EQ(newest["logStreams"][0]["arn"], "arn:aws:logs:us-west-2:111111111111:log-group:g:log-stream:other");
  EXPECT_THAT(Refusal("DescribeLogStreams",
                      {{"logGroupName", "g"}, {"orderBy", "LastEventTime"}, {"logStreamNamePrefix", "job"}}),
              StartsWith("InvalidParameterException: Cannot order by LastEventTime"));
}

TEST_F(LogsServiceTest, KeepsGroupsByAccount) {
  MakeStream("s");
  EXPECT_EQ(Refusal("CreateLogGroup", {{"logGroupName", "g"}}),
            "ResourceAlreadyExistsException: The specified log group already exists");
  EXPECT_EQ(Refusal("CreateLogStream", {{"logGroupName", "g"}, {"logStreamName", "s"}}),
            "ResourceAlreadyExistsException: The specified log stream already exists");
  for (const char* operation : {"DescribeLogStreams", "DeleteLogGroup", "FilterLogEvents", "DeleteRetentionPolicy"}) {
    EXPECT_EQ(Refusal(operation, {{"logGroupName", "g"}}, kOther),
              "ResourceNotFoundException: The specified log group does not exist.");
  }
  EXPECT_EQ(Refusal("GetLogEvents", {{"logGroupName", "g"}, {"logStreamName", "absent"}}),
            "ResourceNotFoundException: The specified log stream does not exist.");
  const Json described = Do("DescribeLogGroups", {{"logGroupNamePrefix", "g"}});
  ASSERT_EQ(described["logGroups"].size(), 1U);
  EXPECT_EQ(described["logGroups"][0]["arn"], "arn:aws:logs:us-west-2:111111111111:log-group:g:*");
  EXPECT_FALSE(described.contains("nextToken"));
  EXPECT_THAT(Do("DescribeLogGroups", Json::object(), kOther)["logGroups"], IsEmpty());
  Do("DescribeLogStreams", {{"logGroupIdentifier", "arn:aws:logs:us-west-2:111111111111:log-group:g:*"}});
  EXPECT_THAT(
      Refusal("DescribeLogStreams", {{"logGroupIdentifier", "arn:aws:logs:us-west-2:222222222222:log-group:g"}}),
      HasSubstr("does not exist"));
  Do("DeleteLogGroup", {{"logGroupName", "g"}});
  EXPECT_THAT(Do("DescribeLogGroups", Json::object())["logGroups"], IsEmpty());
}

TEST_F(LogsServiceTest, ChecksNamesAndRetention) {
  EXPECT_EQ(Refusal("CreateLogGroup", {{"logGroupName", "a b"}}),
            "InvalidParameterException: 1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+");
  Do("CreateLogGroup", {{"logGroupName", "g"}});
  EXPECT_THAT(Refusal("CreateLogStream", {{"logGroupName", "g"}, {"logStreamName", "a:b"}}), HasSubstr("[^:*]*"));
  EXPECT_THAT(
      Refusal("PutRetentionPolicy", {{"logGroupName", "g"}, {"retentionInDays", 2}}),
      HasSubstr("'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [1, 3, 5"));
  Do("PutRetentionPolicy", {{"logGroupName", "g"}, {"retentionInDays", 7}});
  EXPECT_EQ(Do("DescribeLogGroups", Json::object())["logGroups"][0]["retentionInDays"], 7);
}

TEST_F(LogsServiceTest, FiltersOverStreamsInOrderOfTime) {
  for (const char* name : {"a", "b", "c"}) MakeStream(name);
  Put("a", {{kStart, "loss 1"}, {kStart + 2, "loss 2"}, {kStart + 4, "noise"}});
  Put("b", {{kStart + 1, "loss 3"}, {kStart + 2, "loss 4"}});
  Put("c", {{kStart + 1, "loss hidden"}});
  Json input{{"logGroupName", "g"}, {"logStreamNames", {"a", "b"}}, {"filterPattern", "loss"}};
  const Json whole = Do("FilterLogEvents", input);
  EXPECT_THAT(Messages(whole), ElementsAre("loss 1", "loss 3", "loss 2", "loss 4"));
  EXPECT_EQ(whole["events"][1]["logStreamName"], "b");
  EXPECT_EQ(whole["searchedLogStreams"], Json::array());
  EXPECT_FALSE(whole.contains("nextToken"));

  std::vector<std::string> paged;
  std::set<std::string> ids;
  input["limit"] = 1;
  for (int page = 0; page < 9; ++page) {
    const Json reply = Do("FilterLogEvents", input);
    for (const auto& message : Messages(reply)) paged.push_back(message);
    for (const auto& event : reply["events"]) ids.insert(event["eventId"]);
    if (!reply.contains("nextToken")) break;
    input["nextToken"] = reply["nextToken"];
  }
  EXPECT_EQ(paged, Messages(whole));
  EXPECT_EQ(ids.size(), 4U);

  EXPECT_THAT(
      Messages(Do("FilterLogEvents", {{"logGroupName", "g"}, {"logStreamNamePrefix", "a"}, {"startTime", kStart + 1}})),
      ElementsAre("loss 2", "noise"));
  EXPECT_THAT(Refusal("FilterLogEvents", {{"logGroupName", "g"}, {"filterPattern", "{ $.a = 1 }"}}),
              HasSubstr("JSON patterns are not supported"));
}

TEST_F(LogsServiceTest, TagsGroups) {
  Do("CreateLogGroup", {{"logGroupName", "g"}, {"tags", {{"team", "vision"}}}});
  const std::string arn = Do("DescribeLogGroups", Json::object())["logGroups"][0]["logGroupArn"];
  const auto tags = [&](const std::string& of) { return Do("ListTagsForResource", {{"resourceArn", of}})["tags"]; };
  EXPECT_EQ(tags(arn), (Json{{"team", "vision"}}));
  Do("TagResource", {{"resourceArn", arn}, {"tags", {{"cost", "7"}, {"team", "sound"}}}});
  EXPECT_EQ(tags(arn + ":*"), (Json{{"cost", "7"}, {"team", "sound"}}));
  Do("UntagResource", {{"resourceArn", arn}, {"tagKeys", {"team", "absent"}}});
  EXPECT_EQ(tags(arn), (Json{{"cost", "7"}}));
  Do("TagLogGroup", {{"logGroupName", "g"}, {"tags", {{"a", ""}}}});
  Do("UntagLogGroup", {{"logGroupName", "g"}, {"tags", {"cost"}}});
  EXPECT_EQ(Do("ListTagsLogGroup", {{"logGroupName", "g"}})["tags"], (Json{{"a", ""}}));
  // A group of the same name has none of its forerunner's.
  Do("DeleteLogGroup", {{"logGroupName", "g"}});
  Do("CreateLogGroup", {{"logGroupName", "g"}});
  EXPECT_EQ(tags(arn), Json::object());
}

TEST_F(LogsServiceTest, RefusesTagsThatNoGroupCanHave) {
  Do("CreateLogGroup", {{"logGroupName", "g"}});
  const std::string arn = Do("DescribeLogGroups", Json::object())["logGroups"][0]["logGroupArn"];
  const auto refusal = [&](const Json& tags) { return Refusal("TagResource", {{"resourceArn", arn}, {"tags", tags}}); };
  EXPECT_THAT(refusal({{"aws:x", "1"}}), HasSubstr("reserved"));
  EXPECT_THAT(refusal({{"", "1"}}), StartsWith("InvalidParameterException"));
  EXPECT_THAT(refusal({{std::string(129, 'k'), "1"}}), StartsWith("InvalidParameterException"));
  EXPECT_THAT(refusal({{"k", "a<b"}}), StartsWith("InvalidParameterException"));
  EXPECT_THAT(refusal(Json::object()), StartsWith("InvalidParameterException"));
  Json many = Json::object();
  for (int i = 0; i < 50; ++i) many["k" + std::to_string(i)] = "v";
  Do("TagResource", {{"resourceArn", arn}, {"tags", many}});
  EXPECT_THAT(refusal({{"one more", "v"}}), StartsWith("TooManyTagsException"));
  EXPECT_THAT(Refusal("CreateLogGroup", {{"logGroupName", "h"}, {"tags", {{"aws:x", "1"}}}}), HasSubstr("reserved"));
  EXPECT_THAT(Refusal("ListTagsForResource", {{"resourceArn", "arn:aws:logs:us-west-2:999999999999:log-group:g"}}),
              StartsWith("ResourceNotFoundException"));
  EXPECT_THAT(Refusal("ListTagsForResource", {{"resourceArn", "arn:aws:s3:::g"}}),
              StartsWith("InvalidParameterException"));
  EXPECT_THAT(Refusal("TagLogGroup", {{"logGroupName", "absent"}, {"tags", {{"a", "b"}}}}),
              StartsWith("ResourceNotFoundException"));
}

}  // namespace
}  // namespace headrace::api
