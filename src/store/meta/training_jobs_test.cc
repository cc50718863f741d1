#include "store/meta/training_jobs.h"

#include <gmock/gmock.h>

#include "base/testing/temporary_directory.h"

namespace headrace::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(TrainingJob, TheSameStatusReplacesTheMessageAndAnotherOneEndsIt) {
  TrainingJob job;
  MoveTo(job, "Starting", "Starting the training job", 100);
  MoveTo(job, "Starting", "Preparing the instances for training", 150);
  MoveTo(job, "Downloading", "Downloading input data", 200);
  MoveTo(job, "Training", "Training", 190);  // a clock that went back
  EXPECT_THAT(job.transitions,
              ElementsAre(StatusTransition{"Starting", 100, 200, "Preparing the instances for training"},
                          StatusTransition{"Downloading", 200, 200, "Downloading input data"},
                          StatusTransition{"Training", 200, 0, "Training"}));
  EXPECT_EQ(job.secondary_status, "Training");
  EXPECT_EQ(job.modified, 200);
}

TEST(TrainingJob, FinishingEndsTimesAndTransitions) {
  TrainingJob job;
  MoveTo(job, "Training", "Training", 100);
  job.training_start = 90;
  Finish(job, "Stopping", "Stopping", "Stopping the training job", 200);
  EXPECT_EQ(job.training_end, 0);
  Finish(job, "Stopped", "Stopped", "Training job stopped", 300);
  EXPECT_EQ(job.status, "Stopped");
  EXPECT_EQ(job.training_end, 300);
  EXPECT_EQ(job.transitions.back().end, 300);
}

class TrainingJobsTest : public testing::Test {
 protected:
  TrainingJob Make(const std::string& name, UnixMillis created, const std::string& account = "111111111111") {
    TrainingJob job;
    job.account_id = account;
    job.name = name;
    job.arn = "arn:" + name;
    job.created = job.modified = created;
    EXPECT_TRUE(jobs_.Insert(job).value());
    return job;
  }
  std::vector<std::string> Names(const ResourceFilter& filter) {
    std::vector<std::string> names;
    const auto found = jobs_.List(filter).value();
    for (const auto& job : found) names.push_back(job.name);
    return names;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ = Database::Open(directory_ / "meta.db").value();
  TrainingJobs jobs_{*database_};
};

TEST_F(TrainingJobsTest, GivesBackEveryField) {
  TrainingJob job = Make("a", 1);
  const auto updated = jobs_.Update(job.account_id, "a", [](TrainingJob& record) -> Status {
    MoveTo(record, "Training", "in progress \xff", 5);  // a program's bytes, not UTF-8
    record.request = R"({"x":1})";
    record.failure_reason = "AlgorithmError: 1";
    record.training_start = 3;
    record.training_end = 9;
    record.model_artifacts = "s3://b/model.tar.gz";
    record.final_metrics = {{"train:loss", 0.25, 7}};
    record.state = R"({"offset":12})";
    return {};
  });
  ASSERT_TRUE(updated);
  const auto found = jobs_.Find(job.account_id, "a").value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->sequence, job.sequence);
  EXPECT_EQ(found->arn, "arn:a");
  EXPECT_EQ(found->request, R"({"x":1})");
  EXPECT_THAT(found->transitions, ElementsAre(StatusTransition{"Training", 5, 0, "in progress \xef\xbf\xbd"}));
  EXPECT_EQ(found->failure_reason, "AlgorithmError: 1");
  EXPECT_EQ(found->training_start, 3);
  EXPECT_EQ(found->training_end, 9);
  EXPECT_EQ(found->modified, 5);
  EXPECT_EQ(found->model_artifacts, "s3://b/model.tar.gz");
  EXPECT_THAT(found->final_metrics, ElementsAre(FinalMetric{"train:loss", 0.25, 7}));
  EXPECT_EQ(found->state, R"({"offset":12})");
}

TEST_F(TrainingJobsTest, NamesAreUniqueInAnAccountOnly) {
  TrainingJob job = Make("a", 1);
  EXPECT_FALSE(jobs_.Insert(job).value());
  Make("a", 1, "222222222222");
  EXPECT_FALSE(jobs_.Find("333333333333", "a").value());
  EXPECT_TRUE(jobs_.Delete("222222222222", "a").value());
  EXPECT_FALSE(jobs_.Delete("222222222222", "a").value());
  EXPECT_TRUE(jobs_.Find("111111111111", "a").value());
}

TEST_F(TrainingJobsTest, ARefusedChangeLeavesTheJob) {
  Make("a", 1);
  EXPECT_FALSE(jobs_.Update("111111111111", "a", [](TrainingJob& job) -> Status {
    job.status = "Failed";
    return Fail(ErrorCode::kInvalidArgument, "no");
  }));
  EXPECT_EQ(jobs_.Find("111111111111", "a").value()->status, "InProgress");
  const auto missing = jobs_.Update("111111111111", "b", [](TrainingJob&) -> Status { return {}; });
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::kNotFound);
}

TEST_F(TrainingJobsTest, ListsByFilterOrderAndPage) {
  Make("beta", 30);
  Make("alpha", 30);
  Make("gamma", 10);
  Make("other", 5, "222222222222");
  ASSERT_TRUE(jobs_.Update("111111111111", "gamma", [](TrainingJob& job) -> Status {
    Finish(job, "Completed", "Completed", "done", 40);
    return {};
  }));
  ResourceFilter filter;
  EXPECT_THAT(Names(filter), ElementsAre("other", "gamma", "beta", "alpha"));
  filter.account_id = "111111111111";
  EXPECT_THAT(Names(filter), ElementsAre("gamma", "beta", "alpha"));
  filter.descending = true;
  EXPECT_THAT(Names(filter), ElementsAre("alpha", "beta", "gamma"));
  filter.order = ResourceOrder::kName;
  EXPECT_THAT(Names(filter), ElementsAre("gamma", "beta", "alpha"));

  for (const auto order : {ResourceOrder::kCreationTime, ResourceOrder::kName, ResourceOrder::kStatus}) {
    for (const bool descending : {false, true}) {
      ResourceFilter whole{.account_id = "111111111111", .order = order, .descending = descending};
      const auto all = Names(whole);
      std::vector<std::string> paged;
      whole.limit = 1;
      for (auto page = jobs_.List(whole).value(); !page.empty(); page = jobs_.List(whole).value()) {
        paged.push_back(page[0].name);
        whole.after = CursorOf(page[0], order);
      }
      EXPECT_EQ(paged, all);
    }
  }
  EXPECT_THAT(Names({.account_id = "111111111111", .name_contains = "lph"}), ElementsAre("alpha"));
  EXPECT_THAT(Names({.statuses = {"Completed", "Failed"}}), ElementsAre("gamma"));
  EXPECT_THAT(Names({.arn = jobs_.Find("111111111111", "beta").value()->arn}), ElementsAre("beta"));
  EXPECT_THAT(Names({.created_after = 6, .created_before = 29}), ElementsAre("gamma"));
  EXPECT_THAT(Names({.modified_after = 31}), ElementsAre("gamma"));
  EXPECT_THAT(Names({.modified_before = 4}), IsEmpty());
}

TEST_F(TrainingJobsTest, TheSchedulerSeesWhatWaitsAndWhatIsUnderWay) {
  const std::string other = "222222222222";
  Make("done", 1);
  for (const char* name : {"runs", "first", "second"}) Make(name, 2);
  Make("theirs", 3, other);
  const auto change = [&](const std::string& name, const TrainingJobs::Change& to) {
    ASSERT_TRUE(jobs_.Update("111111111111", name, to));
  };
  change("done", [](TrainingJob& job) -> Status {
    job.state = R"({"admitted":true})";
    Finish(job, "Completed", "Completed", "", 5);
    return {};
  });
  change("runs", [](TrainingJob& job) -> Status {
    job.state = R"({"admitted":true})";
    return {};
  });
  const auto names = [](const std::vector<TrainingJobs::Waiting>& waiting) {
    std::vector<std::string> list;
    for (const auto& job : waiting) list.push_back(job.name);
    return list;
  };
  EXPECT_THAT(names(jobs_.FirstWaitingOfEachAccount().value()), testing::UnorderedElementsAre("first", "theirs"));
  EXPECT_THAT(names(jobs_.WaitingWithoutWord(2).value()), ElementsAre("first", "second"));
  change("first", [](TrainingJob& job) -> Status {
    MoveTo(job, "Pending", "Waiting", 6);
    return {};
  });
  EXPECT_THAT(names(jobs_.WaitingWithoutWord(9).value()), ElementsAre("second", "theirs"));
  EXPECT_THAT(names(jobs_.FirstWaitingOfEachAccount().value()), testing::UnorderedElementsAre("first", "theirs"));
  const auto under_way = jobs_.UnderWay().value();
  ASSERT_EQ(under_way.size(), 1u);
  EXPECT_EQ(under_way.front().name, "runs");
}

}  // namespace
}  // namespace headrace::store
