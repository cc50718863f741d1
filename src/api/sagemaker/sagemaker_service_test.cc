#include "api/sagemaker/sagemaker_service.h"

#include <gmock/gmock.h>

#include "api/testing/service_test.h"
#include "store/meta/training_jobs.h"
#include "store/objects/object_store.h"

namespace headrace::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

class SageMakerTest : public ServiceTest {
 protected:
  SageMakerTest() {
    service_ = SageMakerService(
        {*database_,
         [this](const std::string& account, const std::string& job) { submitted_.emplace_back(account, job); },
         [this](const std::string& account, const std::string& job) -> Status {
           stopped_.emplace_back(account, job);
           return {};
         },
         objects_.get()});
    MakeBucket(*objects_, "bucket", kAccount, {"data/train/part-0"});
    MakeBucket(*objects_, "empty", kAccount, {});
    MakeBucket(*objects_, "theirs", kOther, {"data/train/part-0"});
  }

  // As the SageMaker SDK sends it.
  static Json Request(const std::string& name) {
    return Json::parse(R"({
      "AlgorithmSpecification": {"TrainingInputMode": "File",
        "TrainingImage": "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-training:1.15.2-gpu-py3",
        "MetricDefinitions": [{"Name": "train:loss", "Regex": ".*loss: ([0-9\\.]+) - accuracy: [0-9\\.]+.*"}]},
      "OutputDataConfig": {"S3OutputPath": "s3://bucket/"},
      "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
      "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.p3.2xlarge", "VolumeSizeInGB": 30},
      "RoleArn": "arn:aws:iam::111111111111:role/service-role/MyRole",
      "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix",
        "S3Uri": "s3://bucket/data/train", "S3DataDistributionType": "FullyReplicated"}}}],
      "HyperParameters": {"epochs": "10", "sagemaker_program": "\"keras_cifar10.py\""},
      "Tags": [{"Key": "Project", "Value": "cifar10"}],
      "DebugHookConfig": {"S3OutputPath": "s3://bucket/", "CollectionConfigurations": []},
      "SomethingNewer": {"Keep": true}})")
        .patch(Json::array({{{"op", "add"}, {"path", "/TrainingJobName"}, {"value", name}}}));
  }
  Json Describe(const std::string& name) { return Do("DescribeTrainingJob", {{"TrainingJobName", name}}); }
  void Change(const std::string& name, const store::TrainingJobs::Change& change) {
    ASSERT_TRUE(store::TrainingJobs(*database_).Update(kAccount, name, change));
  }
  void End(const std::string& name, const std::string& status) {
    Change(name, [&](store::TrainingJob& job) -> Status {
      job.training_start = kStart + 1000;
      store::Finish(job, status, status, "Training job ended", kStart + 3001);
      return {};
    });
  }

  ManualClock clock_{kStart};
  std::unique_ptr<store::ObjectStore> objects_ =
      store::ObjectStore::Open(*database_, clock_, directory_ / "objects").value();
  std::vector<std::pair<std::string, std::string>> submitted_, stopped_;
};

TEST_F(SageMakerTest, CreatesAJobAndEchoesAllOfIt) {
  const Json created = Do("CreateTrainingJob", Request("job-1"));
  EXPECT_EQ(created["TrainingJobArn"], "arn:aws:sagemaker:us-west-2:111111111111:training-job/job-1");
  EXPECT_THAT(submitted_, ElementsAre(Pair(kAccount, "job-1")));
  const Json job = Describe("job-1");
  const Json request = Request("job-1");
  for (const auto& [member, value] : request.items()) {
    if (member == "Tags") continue;
    if (value.is_object()) {
      for (const auto& [inner, inner_value] : value.items())
        EXPECT_EQ(job[member][inner], inner_value) << member << inner;
    }
  }
  EXPECT_FALSE(job.contains("Tags"));
  EXPECT_EQ(job["SomethingNewer"]["Keep"], true);
  EXPECT_EQ(job["TrainingJobStatus"], "InProgress");
  EXPECT_EQ(job["SecondaryStatus"], "Starting");
  EXPECT_EQ(
      job["SecondaryStatusTransitions"],
      Json::parse(
          R"([{"Status": "Starting", "StartTime": 1767225600.0, "StatusMessage": "Starting the training job"}])"));
  EXPECT_EQ(job["ModelArtifacts"]["S3ModelArtifacts"], "s3://bucket/job-1/output/model.tar.gz");
  EXPECT_EQ(job["CreationTime"], 1767225600.0);
  EXPECT_EQ(job["LastModifiedTime"], 1767225600.0);
  EXPECT_EQ(job["OutputDataConfig"]["KmsKeyId"], "");
  EXPECT_EQ(job["AlgorithmSpecification"]["EnableSageMakerMetricsTimeSeries"], true);
  EXPECT_EQ(job["EnableManagedSpotTraining"], false);
  EXPECT_FALSE(job.contains("TrainingEndTime"));
  EXPECT_FALSE(job.contains("FailureReason"));
}

TEST_F(SageMakerTest, RefusesWhatCanNeverRunHere) {
  SageMakerOptions options{*database_};
  options.fits = [](const std::vector<jobs::InstanceSize>& hosts) -> Status {
    if (hosts.size() == 1 && hosts[0].cpus == 8) return {};
    return Fail(ErrorCode::kFailedPrecondition, "not here");
  };
  service_ = SageMakerService(std::move(options));
  EXPECT_TRUE(Do("CreateTrainingJob", Request("job-1")).contains("TrainingJobArn"));
  Json request = Request("job-2");
  request["ResourceConfig"]["InstanceType"] = "ml.m5.large";
  EXPECT_EQ(Refusal("CreateTrainingJob", request), "ResourceLimitExceeded: not here");
}

TEST_F(SageMakerTest, RefusesWhatNobodyCouldRead) {
  Json request = Request("job-1");
  request["ResourceConfig"]["VolumeSizeInGB"] = int64_t{1} << 40;
  EXPECT_THAT(Refusal("CreateTrainingJob", request), StartsWith("ValidationException: ResourceConfig.VolumeSizeInGB"));
}

TEST_F(SageMakerTest, DescribesHowAJobEnded) {
  Do("CreateTrainingJob", Request("job-1"));
  Change("job-1", [](store::TrainingJob& job) -> Status {
    job.failure_reason = "AlgorithmError: " + std::string(2000, 'x');
    job.final_metrics = {{"train:loss", 0.25, kStart + 500}};
    return {};
  });
  End("job-1", "Failed");
  const Json job = Describe("job-1");
  EXPECT_EQ(job["TrainingJobStatus"], "Failed");
  EXPECT_EQ(job["FailureReason"].get<std::string>().size(), 1024U);
  EXPECT_EQ(job["TrainingTimeInSeconds"], 3);
  EXPECT_EQ(job["BillableTimeInSeconds"], 3);
  EXPECT_EQ(job["TrainingEndTime"], 1767225603.001);
  EXPECT_EQ(job["FinalMetricDataList"],
            Json::parse(R"([{"MetricName": "train:loss", "Value": 0.25, "Timestamp": 1767225600.5}])"));
  ASSERT_EQ(job["SecondaryStatusTransitions"].size(), 2U);
  EXPECT_EQ(job["SecondaryStatusTransitions"][0]["EndTime"], job["SecondaryStatusTransitions"][1]["StartTime"]);
}

TEST_F(SageMakerTest, NamesEveryViolationAtOnce) {
  Json request = Request("not a name");
  request.erase("RoleArn");
  request["HyperParameters"]["long"] = std::string(2501, 'x');
  request["AlgorithmSpecification"]["TrainingInputMode"] = "Stream";
  request["InputDataConfig"].push_back(request["InputDataConfig"][0]);
  request["ResourceConfig"]["InstanceType"] = "m5.large";
  const std::string refusal = Refusal("CreateTrainingJob", request);
  EXPECT_THAT(refusal, StartsWith("ValidationException: 6 validation errors detected: Value 'not a name' at "
                                  "'trainingJobName' failed to satisfy constraint: Member must satisfy regular "
                                  "expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}; "));
  EXPECT_THAT(refusal, HasSubstr("'hyperParameters' failed to satisfy constraint: Map value must satisfy constraint: "
                                 "[Member must have length less than or equal to 2500]"));
  EXPECT_THAT(refusal, HasSubstr("Value 'Stream' at 'algorithmSpecification.trainingInputMode' failed to satisfy "
                                 "constraint: Member must satisfy enum value set: [Pipe, File, FastFile]"));
  EXPECT_THAT(refusal, HasSubstr("Value null at 'roleArn'"));
  EXPECT_THAT(refusal, HasSubstr("Value 'm5.large' at 'resourceConfig.instanceType'"));
  EXPECT_THAT(refusal,
              HasSubstr("'inputDataConfig.2.member.channelName' failed to satisfy constraint: Member must be unique"));
  EXPECT_THAT(submitted_, ElementsAre());
}

TEST_F(SageMakerTest, RefusesMetricDefinitionsThatCannotWork) {
  Json request = Request("job-1");
  request["AlgorithmSpecification"]["MetricDefinitions"] = {{{"Name", "a"}, {"Regex", "loss: ([0-9.]+)"}},
                                                            {{"Name", "a"}, {"Regex", "x: (.*)"}},
                                                            {{"Name", "b"}, {"Regex", "loss: ("}},
                                                            {{"Name", "c"}, {"Regex", "no group"}},
                                                            {{"Nmae", "d"}, {"Regex", "x: (.*)"}}};
  const std::string refusal = Refusal("CreateTrainingJob", request);
  for (const char* path :
       {"2.member.name'", "3.member.regex'", "4.member.regex'", "5.member.name'", "5.member.nmae'"}) {
    EXPECT_THAT(refusal, HasSubstr("'algorithmSpecification.metricDefinitions." + std::string(path)));
  }
  EXPECT_THAT(refusal, Not(HasSubstr("1.member")));
}

TEST_F(SageMakerTest, ChecksWhatSeveralMembersSayTogether) {
  const auto refusal = [&](const char* patch) {
    Json request = Request("job-1");
    request.merge_patch(Json::parse(patch));
    return Refusal("CreateTrainingJob", request);
  };
  EXPECT_THAT(refusal(R"({"EnableManagedSpotTraining": true})"), HasSubstr("Invalid MaxWaitTimeInSeconds"));
  EXPECT_THAT(refusal(R"({"EnableManagedSpotTraining": true, "StoppingCondition": {"MaxWaitTimeInSeconds": 3599}})"),
              HasSubstr("greater than or equal to MaxRuntimeInSeconds"));
  EXPECT_THAT(refusal(R"({"StoppingCondition": {"MaxWaitTimeInSeconds": 3600}})"), HasSubstr("maxWaitTimeInSeconds"));
  EXPECT_THAT(refusal(R"({"StoppingCondition": {"MaxRuntimeInSeconds": 2419201}})"), HasSubstr("2419200"));
  EXPECT_THAT(refusal(R"({"ResourceConfig": {"InstanceCount": 0}})"), HasSubstr("greater than or equal to 1"));
  EXPECT_THAT(refusal(R"({"ResourceConfig": {"InstanceType": "ml.nothing.xlarge"}})"), HasSubstr("known family"));
  EXPECT_THAT(refusal(R"({"ResourceConfig": {"InstanceType": null}})"),
              HasSubstr("Value null at 'resourceConfig.instanceType'"));
  EXPECT_THAT(refusal(R"({"AlgorithmSpecification": {"TrainingImage": null}})"), HasSubstr("trainingImage"));
  EXPECT_THAT(refusal(R"({"AlgorithmSpecification": {"AlgorithmName": "a"}})"), HasSubstr("algorithmName"));
  EXPECT_THAT(refusal(R"({"InputDataConfig": [{"ChannelName": "a", "DataSource": {}}]})"), HasSubstr("s3DataSource"));
  EXPECT_THAT(refusal(R"({"Tags": [{"Key": "a", "Value": ""}, {"Key": "a", "Value": ""}]})"),
              HasSubstr("tags.2.member.key"));
  EXPECT_THAT(refusal(R"({"ServerlessJobConfig": {"JobType": "FineTuning"}})"), HasSubstr("not supported"));
  EXPECT_THAT(refusal(R"({"TrainingJobName": 7})"), StartsWith("SerializationException: "));
}

TEST_F(SageMakerTest, RefusesInputsThatAreNotThere) {
  Json request = Request("job-1");
  request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = "s3://empty/data";
  EXPECT_THAT(
      Refusal("CreateTrainingJob", request),
      StartsWith("ValidationException: No S3 objects found under S3 URL \"s3://empty/data\" given in input data "
                 "source. Please ensure that the bucket exists in the selected region (us-west-2)"));
  request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = "s3://theirs/data";
  EXPECT_THAT(Refusal("CreateTrainingJob", request), HasSubstr("No S3 objects found"));
  request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = "s3://absent/data";
  EXPECT_THAT(Refusal("CreateTrainingJob", request), HasSubstr("No S3 objects found"));
  Do("CreateTrainingJob", Request("job-1"));  // the name has not been used up
}

TEST_F(SageMakerTest, KeepsOutOfOthersBuckets) {
  for (const char* patch : {R"({"OutputDataConfig": {"S3OutputPath": "s3://theirs/"}})",
                            R"({"CheckpointConfig": {"S3Uri": "s3://theirs/c"}})",
                            R"({"HyperParameters": {"sagemaker_submit_directory": "\"s3://theirs/s.tar.gz\""}})"}) {
    Json request = Request("job-1");
    request.merge_patch(Json::parse(patch));
    EXPECT_THAT(Refusal("CreateTrainingJob", request), HasSubstr("is denied: account 111111111111 has no s3:"));
  }
}

TEST_F(SageMakerTest, NamesAreUniqueAndJobsBelongToTheirAccount) {
  Do("CreateTrainingJob", Request("job-1"));
  EXPECT_THAT(Refusal("CreateTrainingJob", Request("job-1")),
              StartsWith("ResourceInUse: Training job names must be unique"));
  for (const char* name : {"job-1", "job-2"}) {
    Json request = Request(name);
    request.merge_patch(
        Json::parse(R"({"InputDataConfig": null, "OutputDataConfig": {"S3OutputPath": "s3://theirs/"}})"));
    Do("CreateTrainingJob", request, kOther);
  }
  for (const char* operation : {"DescribeTrainingJob", "StopTrainingJob", "DeleteTrainingJob", "UpdateTrainingJob"}) {
    EXPECT_EQ(Refusal(operation, {{"TrainingJobName", "job-2"}}), "ValidationException: Requested resource not found.");
  }
  EXPECT_EQ(Do("ListTrainingJobs", Json::object())["TrainingJobSummaries"].size(), 1U);
}

TEST_F(SageMakerTest, ListsInPages) {
  for (int i = 0; i < 12; ++i) {
    now_ = kStart + i * 1000;
    Do("CreateTrainingJob", Request("job-" + std::to_string(i)));
  }
  End("job-3", "Completed");
  const auto names = [&](const Json& reply) {
    std::vector<std::string> found;
    for (const auto& summary : reply["TrainingJobSummaries"]) found.push_back(summary["TrainingJobName"]);
    return found;
  };
  EXPECT_EQ(Do("ListTrainingJobs", Json::object())["TrainingJobSummaries"].size(), 10U);
  const Json input{{"SortBy", "CreationTime"}, {"SortOrder", "Descending"}, {"MaxResults", 5}};
  Json page = Do("ListTrainingJobs", input);
  EXPECT_THAT(names(page), ElementsAre("job-11", "job-10", "job-9", "job-8", "job-7"));
  Json next = input;
  next["NextToken"] = page["NextToken"];
  page = Do("ListTrainingJobs", next);
  EXPECT_THAT(names(page), ElementsAre("job-6", "job-5", "job-4", "job-3", "job-2"));
  EXPECT_EQ(page["TrainingJobSummaries"][3]["TrainingJobStatus"], "Completed");
  EXPECT_EQ(page["TrainingJobSummaries"][3]["TrainingEndTime"], 1767225603.001);
  next["NextToken"] = page["NextToken"];
  page = Do("ListTrainingJobs", next);
  EXPECT_THAT(names(page), ElementsAre("job-1", "job-0"));
  EXPECT_FALSE(page.contains("NextToken"));

  EXPECT_THAT(names(Do("ListTrainingJobs", {{"StatusEquals", "Completed"}})), ElementsAre("job-3"));
  EXPECT_THAT(names(Do("ListTrainingJobs", {{"NameContains", "-11"}})), ElementsAre("job-11"));
  EXPECT_THAT(names(Do("ListTrainingJobs", {{"CreationTimeAfter", 1767225611}})), ElementsAre("job-11"));
  EXPECT_THAT(names(Do("ListTrainingJobs", {{"CreationTimeBefore", "2026-01-01T00:00:00Z"}})), ElementsAre("job-0"));
  EXPECT_THAT(Refusal("ListTrainingJobs", {{"NextToken", "garbage"}}), StartsWith("ValidationException: "));
  EXPECT_THAT(Refusal("ListTrainingJobs", {{"MaxResults", 101}}), HasSubstr("'maxResults'"));
}

TEST_F(SageMakerTest, StopsWhatRunsAndRefusesWhatHasEnded) {
  Do("CreateTrainingJob", Request("job-1"));
  Do("StopTrainingJob", {{"TrainingJobName", "job-1"}});
  EXPECT_THAT(stopped_, ElementsAre(Pair(kAccount, "job-1")));
  End("job-1", "Completed");
  EXPECT_EQ(Refusal("StopTrainingJob", {{"TrainingJobName", "job-1"}}),
            "ValidationException: The request was rejected because the training job is in status Completed.");
}

TEST_F(SageMakerTest, UpdatesTheSafePartsOfARunningJob) {
  Do("CreateTrainingJob", Request("job-1"));
  Do("UpdateTrainingJob", {{"TrainingJobName", "job-1"},
                           {"ResourceConfig", {{"KeepAlivePeriodInSeconds", 60}}},
                           {"ProfilerConfig", {{"DisableProfiler", true}}}});
  EXPECT_EQ(Describe("job-1")["ResourceConfig"]["KeepAlivePeriodInSeconds"], 60);
  EXPECT_EQ(Describe("job-1")["ResourceConfig"]["InstanceCount"], 1);
  EXPECT_EQ(Describe("job-1")["ProfilerConfig"]["DisableProfiler"], true);
  EXPECT_THAT(Refusal("UpdateTrainingJob", {{"TrainingJobName", "job-1"}, {"ResourceConfig", {{"InstanceCount", 2}}}}),
              HasSubstr("'resourceConfig.instanceCount'"));
  End("job-1", "Stopped");
  EXPECT_THAT(Refusal("UpdateTrainingJob", {{"TrainingJobName", "job-1"}}), HasSubstr("in status Stopped"));
}

TEST_F(SageMakerTest, DeletesWhatHasEndedWithItsTags) {
  Do("CreateTrainingJob", Request("job-1"));
  EXPECT_THAT(Refusal("DeleteTrainingJob", {{"TrainingJobName", "job-1"}}), HasSubstr("in status InProgress"));
  End("job-1", "Failed");
  Do("DeleteTrainingJob", {{"TrainingJobName", "job-1"}});
  EXPECT_THAT(Refusal("DescribeTrainingJob", {{"TrainingJobName", "job-1"}}), HasSubstr("not found"));
  Json request = Request("job-1");
  request.erase("Tags");
  const Json created = Do("CreateTrainingJob", request);
  EXPECT_EQ(Do("ListTags", {{"ResourceArn", created["TrainingJobArn"]}})["Tags"], Json::array());
}

TEST_F(SageMakerTest, TagsJobs) {
  const Json arn = Do("CreateTrainingJob", Request("job-1"))["TrainingJobArn"];
  EXPECT_EQ(Do("AddTags", {{"ResourceArn", arn}, {"Tags", Json::parse(R"([{"Key": "a", "Value": "1"}])")}})["Tags"],
            Json::parse(R"([{"Key": "Project", "Value": "cifar10"}, {"Key": "a", "Value": "1"}])"));
  Do("DeleteTags", {{"ResourceArn", arn}, {"TagKeys", {"Project"}}});
  EXPECT_EQ(Do("ListTags", {{"ResourceArn", arn}, {"MaxResults", 50}})["Tags"],
            Json::parse(R"([{"Key": "a", "Value": "1"}])"));
  EXPECT_THAT(Refusal("ListTags", {{"ResourceArn", arn}}, kOther), HasSubstr("not found"));
  Json many = Json::array();
  for (int i = 0; i < 50; ++i) many.push_back({{"Key", std::to_string(i)}, {"Value", ""}});
  EXPECT_THAT(Refusal("AddTags", {{"ResourceArn", arn}, {"Tags", many}}), StartsWith("ResourceLimitExceeded: "));
}

TEST_F(SageMakerTest, HasNoNotebookInstances) {
  EXPECT_EQ(Refusal("DescribeNotebookInstance", {{"NotebookInstanceName", "n"}}),
            "ValidationException: RecordNotFound");
}

}  // namespace
}  // namespace headrace::api
