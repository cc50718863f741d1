#include "horovod/timeline.h"

#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace headrace::hvd {
namespace {

std::string FileName() {
  return testing::TempDir() + "timeline-" + std::to_string(::getpid()) + "-" +
         testing::UnitTest::GetInstance()->current_test_info()->name() + ".json";
}

nlohmann::json Read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return nlohmann::json::parse(text.str());  // throws when it is not whole
}

TEST(Timeline, IsWholeAfterEveryEvent) {
  const std::string path = FileName();
  Timeline timeline;
  timeline.Begin("before", "it starts");
  ASSERT_TRUE(timeline.Start(path, true));
  EXPECT_EQ(Read(path).size(), 2u) << "its beginning";
  timeline.Begin("conv \"1\"", "NEGOTIATE_ALLREDUCE");
  timeline.Mark("conv \"1\"", "0");
  timeline.End("conv \"1\"");
  Read(path);
  timeline.Begin("conv \"1\"", "ALLREDUCE");
  timeline.MarkCycle();
  timeline.End("conv \"1\"", "float32", "[3, 4]");
  const auto events = Read(path);
  timeline.Stop();
  timeline.Begin("behind", "its end");
  EXPECT_EQ(Read(path), events);

  EXPECT_TRUE(events[0]["args"].contains("start_time_since_epoch_in_micros"));
  EXPECT_EQ(events[2]["ph"], "M");
  EXPECT_EQ(events[2]["args"]["name"], "conv \"1\"");
  EXPECT_EQ(events[2]["pid"], 1);
  std::string phases;
  int64_t last = 0;
  for (const auto& event : events) {
    if (event["ph"] == "M") continue;
    phases += event["ph"].get<std::string>();
    EXPECT_GE(event["ts"].get<int64_t>(), last);
    last = event["ts"];
  }
  EXPECT_EQ(phases, "BXEBiE");
  EXPECT_EQ(events.back()["args"]["shape"], "[3, 4]");
  ::unlink(path.c_str());
}

TEST(Timeline, SaysWhyItCannotStart) {
  Timeline timeline;
  const Status missing = timeline.Start("/nonexistent/timeline.json", false);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message().find("/nonexistent/timeline.json"), std::string::npos);
  const std::string path = FileName();
  ASSERT_TRUE(timeline.Start(path, false));
  EXPECT_FALSE(timeline.Start(path, false));
  timeline.MarkCycle();
  EXPECT_EQ(Read(path).size(), 2u) << "cycles were not asked for";
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace headrace::hvd
