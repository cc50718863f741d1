#include "sagemaker/estimator/job_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::sagemaker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A job and its log as the services would tell of them.
class JobWatchTest : public testing::Test {
 protected:
  JobWatchTest() {
    job_ = {{"TrainingJobName", "job"},
            {"TrainingJobStatus", "InProgress"},
            {"LastModifiedTime", 1767225600.0},
            {"ResourceConfig", {{"InstanceCount", 2}}}};
  }

  void Transition(const char* status, const char* message) {
    job_["SecondaryStatusTransitions"].push_back(
        {{"Status", status}, {"StatusMessage", message}, {"StartTime", 1767225600.0}});
  }
  void Log(const std::string& stream, int timestamp, const std::string& line) {
    streams_[stream].push_back({{"timestamp", timestamp}, {"message", line}});
  }

  Json Answer(std::string_view operation, const Json& input) const {
    if (operation == "DescribeTrainingJob") return job_;
    if (operation == "DescribeLogStreams") {
      if (streams_.empty()) {
        ServiceError error(ErrorCode::kNotFound, "no group");
        error.service_code = "ResourceNotFoundException";
        throw error;
      }
      Json list = Json::array();
      for (const auto& [name, events] : streams_) list.push_back({{"logStreamName", name}});
      return {{"logStreams", list}};
    }
    // Two events a page; the token is where the next one begins.
    const Json& events = streams_.at(TextMember(input, "logStreamName"));
    const size_t begin = input.contains("nextToken") ? std::stoul(TextMember(input, "nextToken")) : 0;
    const size_t end = std::min(begin + 2, events.size());
    Json page = Json::array();
    for (size_t i = begin; i < end; ++i) page.push_back(events[i]);
    return {{"events", page}, {"nextForwardToken", std::to_string(end)}};
  }

  // What one look prints.
  std::vector<std::string> Step(bool wanted_more) {
    printed_.clear();
    EXPECT_EQ(watch_.Step(), wanted_more);
    return printed_;
  }

  Json job_;
  std::map<std::string, Json> streams_;
  std::vector<std::string> printed_;
  WatchOptions options_{"job", true, false, [this](std::string_view line) { printed_.emplace_back(line); }};
  JobWatch watch_{options_, [this](std::string_view, std::string_view operation, const Json& input) {
                    return Answer(operation, input);
                  }};
};

TEST_F(JobWatchTest, PrintsEachTransitionOnceAndANewMessageOfTheLast) {
  Transition("Starting", "Starting the training job");
  EXPECT_THAT(Step(true), ElementsAre("2026-01-01 00:00:00 Starting - Starting the training job"));
  EXPECT_THAT(Step(true), IsEmpty());
  job_["SecondaryStatusTransitions"][0]["StatusMessage"] = "Preparing the instances";
  EXPECT_THAT(Step(true), ElementsAre("2026-01-01 00:00:00 Starting - Preparing the instances"));
  Transition("Downloading", "Downloading input data");
  EXPECT_THAT(Step(true), ElementsAre("2026-01-01 00:00:00 Downloading - Downloading input data"));
}

TEST_F(JobWatchTest, MergesTheLogsOfAllHostsByTime) {
  Log("job/algo-1-1", 10, "a1");
  Log("job/algo-1-1", 30, "a3");
  Log("job/algo-1-1", 40, "a4");
  Log("job/algo-2-1", 20, "b2");
  EXPECT_THAT(Step(true), ElementsAre("a1", "b2", "a3", "a4"));
  Log("job/algo-2-1", 40, "b4");
  Log("job/algo-2-1", 40, "b5");
  EXPECT_THAT(Step(true), ElementsAre("b4", "b5"));
  EXPECT_THAT(Step(true), IsEmpty());
}

TEST_F(JobWatchTest, HostsHaveColoursOfTheirOwnWhereTheyAreWanted) {
  Log("job/algo-1-1", 10, "one");
  Log("job/algo-2-1", 20, "t\x1b[2Jwo\a");
  options_.colour = true;
  JobWatch watch(options_, [this](std::string_view, std::string_view operation, const Json& input) {
    return Answer(operation, input);
  });
  watch.Step();
  EXPECT_THAT(printed_, ElementsAre("\x1b[34mone\x1b[0m", "\x1b[35mt[2Jwo\x1b[0m"));
}

TEST_F(JobWatchTest, LooksOnceMoreWhenTheJobHasEndedAndThenPrintsTheSeconds) {
  Log("job/algo-1-1", 10, "first");
  EXPECT_THAT(Step(true), ElementsAre("first"));
  job_["TrainingJobStatus"] = "Completed";
  job_["TrainingTimeInSeconds"] = 50;
  job_["BillableTimeInSeconds"] = 40;
  job_["EnableManagedSpotTraining"] = true;
  EXPECT_THAT(Step(true), IsEmpty());
  Log("job/algo-1-1", 20, "last");
  EXPECT_THAT(Step(false), ElementsAre("last", "Training seconds: 100", "Billable seconds: 80",
                                       "Managed Spot Training savings: 20.0%"));
}

}  // namespace
}  // namespace headrace::sagemaker
