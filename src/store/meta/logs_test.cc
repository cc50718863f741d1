#include "store/meta/logs.h"

#include <gmock/gmock.h>

#include "base/testing/temporary_directory.h"

namespace headrace::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kDay = 24 * 3600 * 1000LL;
const std::string kAccount = "111111111111";

class LogsTest : public testing::Test {
 protected:
  void Append(const std::string& stream, std::vector<LogLineIn> lines, LogTimes times = LogTimes::kAsGiven) {
    ASSERT_TRUE(logs_.Append({kAccount, "group", stream, true, times}, lines, 1000));
  }
  LogStream Stream(const std::string& name) { return logs_.FindStream(Group(), name).value().value(); }
  LogGroup Group() { return logs_.FindGroup(kAccount, "group").value().value(); }
  std::vector<std::string> Forward(const std::string& stream, LogInterval interval = {},
                                   LogPosition after = kBeforeFirstEvent) {
    std::vector<std::string> messages;
    EXPECT_TRUE(logs_.ReadForward(Stream(stream).id, interval, after, Collect(messages)));
    return messages;
  }
  static Logs::Visit Collect(std::vector<std::string>& into, size_t limit = 1000) {
    return [&into, limit](LogEvent&& event) {
      into.push_back(event.message);
      return into.size() < limit;
    };
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ = Database::Open(directory_ / "meta.db").value();
  Logs logs_{*database_};
};

TEST_F(LogsTest, OrdersByTimeThenArrival) {
  Append("s", {{5, "b"}, {5, "c"}, {3, "a"}});
  Append("s", {{5, "d"}});
  EXPECT_THAT(Forward("s"), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(Forward("s", {5, 6}), ElementsAre("b", "c", "d"));
  EXPECT_THAT(Forward("s", {0, 5}), ElementsAre("a"));
  EXPECT_THAT(Forward("s", {}, {5, 1}), ElementsAre("d"));
  const LogStream stream = Stream("s");
  EXPECT_EQ(stream.first_event, 3);
  EXPECT_EQ(stream.last_event, 5);
  EXPECT_EQ(stream.last_ingestion, 1000);
  EXPECT_EQ(stream.stored_bytes, 4 * 27);
  EXPECT_EQ(logs_.ListGroups(kAccount, "group", "", "", 1).value().at(0).stored_bytes, 4 * 27);
}

TEST_F(LogsTest, ATrainingStreamNeverGoesBackInTime) {
  Append("s", {{5, "a"}, {3, "b"}, {7, "c"}}, LogTimes::kNeverDecreasing);
  Append("s", {{6, "d"}}, LogTimes::kNeverDecreasing);
  std::vector<UnixMillis> times;
  ASSERT_TRUE(logs_.ReadForward(Stream("s").id, {}, kBeforeFirstEvent, [&](LogEvent&& event) {
    times.push_back(event.position.time);
    return true;
  }));
  EXPECT_THAT(times, ElementsAre(5, 5, 7, 7));
  EXPECT_THAT(Forward("s"), ElementsAre("a", "b", "c", "d"));
}

TEST_F(LogsTest, ReadsBackwardFromAPosition) {
  Append("s", {{1, "a"}, {2, "b"}, {2, "c"}, {3, "d"}});
  std::vector<std::string> messages;
  ASSERT_TRUE(logs_.ReadBackward(Stream("s").id, {}, kBehindLastEvent, Collect(messages, 2)));
  EXPECT_THAT(messages, ElementsAre("d", "c"));
  messages.clear();
  ASSERT_TRUE(logs_.ReadBackward(Stream("s").id, {}, {2, 2}, Collect(messages)));
  EXPECT_THAT(messages, ElementsAre("b", "a"));
}

TEST_F(LogsTest, MergesStreamsAndGoesOnWhereItStopped) {
  Append("x", {{1, "x1"}, {2, "x2"}, {2, "x3"}, {9, "x4"}});
  Append("y", {{2, "y1"}, {2, "y2"}, {8, "y3"}});
  Append("z", {{100, "z1"}});
  const auto streams = logs_.ListStreams(Group(), {}).value();
  std::vector<std::string> all;
  ASSERT_TRUE(logs_.ReadMerged(streams, {0, 50}, std::nullopt, Collect(all)));
  EXPECT_THAT(all, ElementsAre("x1", "x2", "x3", "y1", "y2", "y3", "x4"));

  std::vector<std::string> paged;
  std::optional<Logs::MergedPosition> after;
  for (bool more = true; more;) {
    more = false;
    ASSERT_TRUE(logs_.ReadMerged(streams, {0, 50}, after, [&](LogEvent&& event) {
      paged.push_back(event.message);
      after = Logs::MergedPosition{event.position, event.stream_id};
      more = true;
      return false;
    }));
  }
  EXPECT_EQ(paged, all);
}

TEST_F(LogsTest, ListsByPrefixAndPage) {
  for (const char* name : {"job-a/1", "job-a/2", "job-b/1", "k"}) Append(name, {{1, "m"}});
  const auto names = [&](const Logs::StreamFilter& filter) {
    std::vector<std::string> found;
    const auto streams = logs_.ListStreams(Group(), filter).value();
    for (const auto& stream : streams) found.push_back(stream.name);
    return found;
  };
  EXPECT_THAT(names({.prefix = "job-a/"}), ElementsAre("job-a/1", "job-a/2"));
  EXPECT_THAT(names({.prefix = "job-a/", .after = Stream("job-a/1")}), ElementsAre("job-a/2"));
  EXPECT_THAT(names({.descending = true, .limit = 2}), ElementsAre("k", "job-b/1"));
  Append("job-a/2", {{7, "m"}});
  EXPECT_THAT(names({.order = LogStreamOrder::kLastEventTime, .descending = true, .limit = 1}), ElementsAre("job-a/2"));
  EXPECT_THAT(
      names({.order = LogStreamOrder::kLastEventTime, .descending = true, .after = Stream("job-a/2"), .limit = 2}),
      ElementsAre("k", "job-b/1"));

  ASSERT_TRUE(logs_.CreateGroup(kAccount, "other", 1).value());
  ASSERT_TRUE(logs_.CreateGroup("222222222222", "hidden", 1).value());
  EXPECT_EQ(logs_.ListGroups(kAccount, "", "", "", 0)->size(), 2U);
  EXPECT_EQ(logs_.ListGroups(kAccount, "gr", "", "", 0)->at(0).name, "group");
  EXPECT_EQ(logs_.ListGroups(kAccount, "", "the", "", 0)->at(0).name, "other");
  EXPECT_EQ(logs_.ListGroups(kAccount, "", "", "group", 0)->size(), 1U);
}

TEST_F(LogsTest, MissingStreamsAreRefusedUnlessAskedFor) {
  const LogLineIn line{1, "m"};
  const auto status = logs_.Append({kAccount, "group", "s", false}, {&line, 1}, 1);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(logs_.CreateGroup(kAccount, "group", 1).value());
  EXPECT_FALSE(logs_.CreateGroup(kAccount, "group", 1).value());
  EXPECT_TRUE(logs_.CreateStream(Group(), "s", 1).value());
  EXPECT_FALSE(logs_.CreateStream(Group(), "s", 1).value());
  EXPECT_TRUE(logs_.Append({kAccount, "group", "s", false}, {&line, 1}, 1));
}

TEST_F(LogsTest, DeletingAGroupTakesItsEvents) {
  Append("s", {{1, "old"}});
  ASSERT_TRUE(logs_.DeleteGroup(kAccount, "group").value());
  EXPECT_FALSE(logs_.DeleteGroup(kAccount, "group").value());
  Append("s", {{2, "new"}});
  EXPECT_THAT(Forward("s"), ElementsAre("new"));
  ASSERT_TRUE(logs_.DeleteStream(Group(), "s").value());
  EXPECT_FALSE(logs_.FindStream(Group(), "s").value());
}

TEST_F(LogsTest, RetentionExpiresEvents) {
  Append("s", {{1, "old"}, {3 * kDay, "kept"}});
  EXPECT_EQ(logs_.Expire(4 * kDay).value(), 0);  // for ever
  ASSERT_TRUE(logs_.SetRetention(kAccount, "group", 2).value());
  EXPECT_EQ(RetainedSince(Group(), 4 * kDay), 2 * kDay);
  EXPECT_EQ(logs_.Expire(4 * kDay).value(), 1);
  EXPECT_THAT(Forward("s"), ElementsAre("kept"));
  EXPECT_EQ(Stream("s").first_event, 3 * kDay);
  EXPECT_EQ(Stream("s").stored_bytes, 4 + 26);
  EXPECT_FALSE(logs_.SetRetention(kAccount, "absent", 2).value());
  EXPECT_EQ(logs_.Expire(9 * kDay).value(), 1);
  EXPECT_THAT(Forward("s"), IsEmpty());
}

}  // namespace
}  // namespace headrace::store
