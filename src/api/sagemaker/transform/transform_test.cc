#include <gmock/gmock.h>

#include "api/sagemaker/sagemaker_service.h"
#include "api/testing/service_test.h"
#include "jobs/hosting/deployment.h"
#include "store/meta/transform_jobs.h"

namespace headrace::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::StartsWith;

class TransformTest : public ServiceTest {
 protected:
  TransformTest() {
    SageMakerOptions options{*database_};
    options.objects = objects_.get();
    options.wake_transform = [this](const std::string& account, const std::string& name) {
      woken_.emplace_back(account, name);
    };
    service_ = SageMakerService(options);
    MakeBucket(*objects_, "bucket", kAccount, {"model.tar.gz", "in/a"});
    MakeBucket(*objects_, "theirs", kOther, {"model.tar.gz", "in/a"});
    Do("CreateModel", {{"ModelName", "m"},
                       {"ExecutionRoleArn", "arn:aws:iam::111111111111:role/service-role/MyRole"},
                       {"PrimaryContainer",
                        {{"Image", "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-inference:1.15-cpu"},
                         {"ModelDataUrl", "s3://bucket/model.tar.gz"},
                         {"Environment", {{"A", "model's"}, {"B", "b"}}}}}});
  }

  static Json Job(const std::string& name, Json more = Json::object()) {
    Json job = Json::parse(R"({"ModelName": "m",
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in/"}}},
        "TransformOutput": {"S3OutputPath": "s3://bucket/out"},
        "TransformResources": {"InstanceType": "ml.m4.xlarge", "InstanceCount": 2}})");
    job["TransformJobName"] = name;
    job.merge_patch(more);
    return job;
  }
  store::TransformJob Row(const std::string& name) {
    return store::TransformJobs(*database_).Find(kAccount, name).value().value();
  }
  void SetStatus(const std::string& name, const std::string& status) {
    ASSERT_TRUE(store::TransformJobs(*database_).Update(kAccount, name, [&](store::TransformJob& row) -> Status {
      row.status = status;
      row.transform_start = kStart + 1000;
      row.transform_end = kStart + 2000;
      if (status == "Failed") row.failure_reason = "why";
      return {};
    }));
  }

  ManualClock clock_{kStart};
  std::unique_ptr<store::ObjectStore> objects_ =
      store::ObjectStore::Open(*database_, clock_, directory_ / "objects").value();
  std::vector<std::pair<std::string, std::string>> woken_;
};

TEST_F(TransformTest, AJobIsTakenAndDescribedWithDefaults) {
  const Json tags = Json::array({{{"Key", "k"}, {"Value", "v"}}});
  const Json reply = Do("CreateTransformJob", Job("Job", {{"Environment", {{"A", "job's"}}}, {"Tags", tags}}));
  EXPECT_EQ(reply["TransformJobArn"], "arn:aws:sagemaker:us-west-2:111111111111:transform-job/job");
  EXPECT_THAT(woken_, ElementsAre(Pair(kAccount, "Job")));
  EXPECT_EQ(Do("ListTags", {{"ResourceArn", reply["TransformJobArn"]}})["Tags"], tags);
  const Json described = Do("DescribeTransformJob", {{"TransformJobName", "Job"}});
  EXPECT_EQ(described["TransformJobStatus"], "InProgress");
  EXPECT_EQ(described["TransformInput"]["SplitType"], "None");
  EXPECT_EQ(described["TransformOutput"]["AssembleWith"], "None");
  EXPECT_EQ(described["DataProcessing"]["InputFilter"], "$");
  EXPECT_EQ(described["CreationTime"], kStart / 1000.0);
  EXPECT_FALSE(described.contains("TransformStartTime"));
  EXPECT_FALSE(described.contains("Tags"));
  const auto deployment = jobs::ParseDeployment(Row("Job").deployment).value();
  ASSERT_EQ(deployment.variants.size(), 1u);
  EXPECT_EQ(deployment.variants[0].count, 2);
  EXPECT_THAT(deployment.variants[0].model.environment, ElementsAre(Pair("A", "job's"), Pair("B", "b")));
  Do("DeleteModel", {{"ModelName", "m"}});  // the job has all it needs
}

TEST_F(TransformTest, RefusalsLeaveNothing) {
  const auto create = [this](Json more) { return Refusal("CreateTransformJob", Job("j", std::move(more))); };
  EXPECT_THAT(create({{"ModelName", "none"}}), StartsWith("ValidationException: Could not find model \"arn"));
  EXPECT_THAT(create({{"MaxPayloadInMB", 101}, {"MaxConcurrentTransforms", -1}}),
              AllOf(HasSubstr("2 validation errors"), HasSubstr("'maxPayloadInMB'"), HasSubstr("'maxConcurrent")));
  EXPECT_THAT(create({{"MaxPayloadInMB", 50}, {"MaxConcurrentTransforms", 3}}), HasSubstr("found 3 * 50"));
  EXPECT_THAT(create({{"DataProcessing", {{"InputFilter", "a"}, {"OutputFilter", "$["}}}}),
              AllOf(HasSubstr("'dataProcessing.inputFilter'"), HasSubstr("'dataProcessing.outputFilter'"),
                    HasSubstr("'transformInput.contentType'")));
  EXPECT_THAT(create({{"DataProcessing", {{"JoinSource", "Input"}}},
                      {"TransformInput", {{"ContentType", "text/csv"}, {"SplitType", "TFRecord"}}}}),
              HasSubstr("'transformInput.splitType'"));
  EXPECT_THAT(create({{"TransformResources", {{"InstanceType", "ml.zz.large"}}}}), HasSubstr("instanceType"));
  const Json theirs = {{"DataSource", {{"S3DataSource", {{"S3Uri", "s3://theirs/in/"}}}}}};
  EXPECT_THAT(create({{"TransformInput", theirs}}), HasSubstr("No S3 objects found under S3 URL"));
  EXPECT_THAT(create({{"TransformOutput", {{"S3OutputPath", "s3://theirs/out"}}}}),
              HasSubstr("has no s3:PutObject there"));
  EXPECT_THAT(create({{"TransformOutput", nullptr}}), HasSubstr("'transformOutput'"));
  EXPECT_THAT(Refusal("CreateTransformJob", Job("j"), kOther), HasSubstr("Could not find model"));
  EXPECT_TRUE(Do("ListTransformJobs", Json::object())["TransformJobSummaries"].empty());
  EXPECT_TRUE(woken_.empty());
}

TEST_F(TransformTest, NamesAreUniqueAndInstancesLimited) {
  Do("CreateTransformJob", Job("a", {{"TransformResources", {{"InstanceCount", 12}}}}));
  EXPECT_THAT(Refusal("CreateTransformJob", Job("a")), StartsWith("ResourceInUse: Job name must be unique"));
  EXPECT_THAT(Refusal("CreateTransformJob", Job("b", {{"TransformResources", {{"InstanceCount", 9}}}})),
              AllOf(StartsWith("ResourceLimitExceeded: "), HasSubstr("utilization of 12"), HasSubstr("delta of 9")));
  SetStatus("a", "Completed");
  Do("CreateTransformJob", Job("b", {{"TransformResources", {{"InstanceCount", 20}}}}));
}

TEST_F(TransformTest, StoppingAndEnding) {
  EXPECT_EQ(Refusal("DescribeTransformJob", {{"TransformJobName", "j"}}),
            "ValidationException: Could not find requested job with name: j");
  Do("CreateTransformJob", Job("j"));
  woken_.clear();
  Do("StopTransformJob", {{"TransformJobName", "j"}});
  EXPECT_EQ(Row("j").status, "Stopping");
  Do("StopTransformJob", {{"TransformJobName", "j"}});
  EXPECT_EQ(woken_.size(), 2u);
  EXPECT_THAT(Refusal("StopTransformJob", {{"TransformJobName", "j"}}, kOther), HasSubstr("Could not find"));
  SetStatus("j", "Failed");
  EXPECT_THAT(Refusal("StopTransformJob", {{"TransformJobName", "j"}}), HasSubstr("in status Failed"));
  const Json described = Do("DescribeTransformJob", {{"TransformJobName", "j"}});
  EXPECT_EQ(described["FailureReason"], "why");
  EXPECT_EQ(described["TransformEndTime"], kStart / 1000.0 + 2);
  const Json listed = Do("ListTransformJobs", {{"StatusEquals", "Failed"}})["TransformJobSummaries"];
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0]["TransformJobName"], "j");
  EXPECT_EQ(listed[0]["FailureReason"], "why");
}

TEST_F(TransformTest, ListingsGoOn) {
  for (const char* name : {"a", "b", "c"}) Do("CreateTransformJob", Job(name));
  const Json first = Do("ListTransformJobs", {{"MaxResults", 2}});
  ASSERT_EQ(first["TransformJobSummaries"].size(), 2u);
  EXPECT_EQ(first["TransformJobSummaries"][0]["TransformJobName"], "c");  // the newest first
  const Json second = Do("ListTransformJobs", {{"MaxResults", 2}, {"NextToken", first["NextToken"]}});
  ASSERT_EQ(second["TransformJobSummaries"].size(), 1u);
  EXPECT_FALSE(second.contains("NextToken"));
}

}  // namespace
}  // namespace headrace::api
