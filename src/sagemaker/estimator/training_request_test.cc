#include "sagemaker/estimator/training_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::sagemaker {
namespace {

using testing::HasSubstr;

EstimatorOptions Minimal() {
  return {.entry_point = "train.py", .role = "arn:aws:iam::1:role/R", .instance_type = "ml.m5.large"};
}
const JobPlace kPlace{"job", "us-west-2", "image", "bucket", "s3://bucket/job/source/sourcedir.tar.gz"};

std::string RefusalOf(EstimatorOptions options) {
  try {
    CheckedOptions(std::move(options));
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(TrainingRequest, IsWhatTheSdkSends) {
  EstimatorOptions options = Minimal();
  options.hyperparameters = {{"epochs", 10}, {"rate", 0.001}, {"fast", true}, {"name", "a \"b\""}};
  options.metric_definitions = {{"loss", "loss: ([0-9.]+)"}};
  options.tags = {{"Project", "cifar10"}};
  const Json request = TrainingRequest(CheckedOptions(options), {{"train", "s3://bucket/data"}}, kPlace);
  const Json wanted = Json::parse(R"json({
    "TrainingJobName": "job", "RoleArn": "arn:aws:iam::1:role/R",
    "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": "image",
      "MetricDefinitions": [{"Name": "loss", "Regex": "loss: ([0-9.]+)"}], "EnableSageMakerMetricsTimeSeries": true},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30},
    "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
    "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/data",
      "S3DataDistributionType": "FullyReplicated"}}}],
    "HyperParameters": {"epochs": "10", "rate": "0.001", "fast": "true", "name": "\"a \\\"b\\\"\"",
      "sagemaker_submit_directory": "\"s3://bucket/job/source/sourcedir.tar.gz\"", "sagemaker_program": "\"train.py\"",
      "sagemaker_container_log_level": "20", "sagemaker_job_name": "\"job\"", "sagemaker_region": "\"us-west-2\"",
      "model_dir": "\"s3://bucket/job/model\""},
    "Tags": [{"Key": "Project", "Value": "cifar10"}]})json");
  EXPECT_EQ(request, wanted);
}

TEST(TrainingRequest, AProgramIsCalledAsInItsArchive) {
  EstimatorOptions options = Minimal();
  options.entry_point = "code/train.py";
  EXPECT_EQ(TrainingRequest(options, {}, kPlace)["HyperParameters"]["sagemaker_program"], "\"train.py\"");
  options.source_dir = "source";
  EXPECT_EQ(TrainingRequest(options, {}, kPlace)["HyperParameters"]["sagemaker_program"], "\"code/train.py\"");
}

TEST(TrainingRequest, MpiMovesTheModelDirectory) {
  EstimatorOptions options = Minimal();
  options.distribution.mpi = {.enabled = true, .processes_per_host = 2, .custom_mpi_options = "-x A"};
  const Json parameters = TrainingRequest(options, {}, kPlace)["HyperParameters"];
  EXPECT_EQ(parameters["sagemaker_mpi_enabled"], "true");
  EXPECT_EQ(parameters["sagemaker_mpi_num_of_processes_per_host"], "2");
  EXPECT_EQ(parameters["sagemaker_mpi_custom_mpi_options"], "\"-x A\"");
  EXPECT_EQ(parameters["model_dir"], "\"/opt/ml/model\"");
  options.model_dir = "";
  EXPECT_FALSE(TrainingRequest(options, {}, kPlace)["HyperParameters"].contains("model_dir"));
}

TEST(TrainingRequest, ChannelsMayHaveSettingsOfTheirOwn) {
  const Inputs inputs = {
      {"train",
       S3Input{.s3_data = "s3://b/m", .s3_data_type = "ManifestFile", .input_mode = "Pipe", .shuffle_seed = 7}}};
  const Json channel = TrainingRequest(Minimal(), inputs, kPlace)["InputDataConfig"][0];
  EXPECT_EQ(channel["InputMode"], "Pipe");
  EXPECT_EQ(channel["ShuffleConfig"]["Seed"], 7);
  EXPECT_EQ(channel["DataSource"]["S3DataSource"]["S3DataType"], "ManifestFile");
}

TEST(TrainingRequest, NamesOfV1StandForThoseOfV2) {
  EstimatorOptions options = Minimal();
  options.instance_type.clear();
  options.train_instance_type = "ml.p3.2xlarge";
  options.train_instance_count = 2;
  options.distributions = Distribution{.mpi = {.enabled = true}};
  const EstimatorOptions checked = CheckedOptions(options);
  EXPECT_EQ(checked.instance_type, "ml.p3.2xlarge");
  EXPECT_EQ(checked.instance_count, 2);
  EXPECT_TRUE(checked.distribution.mpi.enabled);
  options.instance_type = "ml.m5.large";
  EXPECT_THAT(RefusalOf(options), HasSubstr("train_instance_type is v1's name of instance_type"));
}

TEST(TrainingRequest, SaysWhatIsMissing) {
  EstimatorOptions options = Minimal();
  options.role.clear();
  EXPECT_THAT(RefusalOf(options), HasSubstr("role: found nothing"));
  options = Minimal();
  options.instance_count = 0;
  EXPECT_THAT(RefusalOf(options), HasSubstr("instance_count: found 0"));
  options = Minimal();
  options.use_spot_instances = true;
  EXPECT_THAT(RefusalOf(options), HasSubstr("max_wait: found 0"));
}

}  // namespace
}  // namespace headrace::sagemaker
