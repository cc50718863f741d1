#include "jobs/request/training_request.h"

#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

using nlohmann::json;
using Texts = std::vector<std::string>;

std::string ErrorOf(const json& document) {
  const auto request = DecodeTrainingRequest(document);
  return request ? "" : request.error().message();
}

TEST(TrainingRequest, HasSageMakersDefaults) {
  const auto request = ValueOrThrow(DecodeTrainingRequest(json::object()));
  EXPECT_EQ(request.algorithm.input_mode, "File");
  EXPECT_EQ(request.resources.groups, std::vector<InstanceGroup>{InstanceGroup()});
  EXPECT_EQ(request.resources.volume_bytes, uint64_t{30} << 30);
  EXPECT_EQ(request.stopping.max_runtime_seconds, 86'400);
  EXPECT_EQ(request.hosts(), Texts{"algo-1"});
  EXPECT_EQ(request.retries, 0);
  EXPECT_TRUE(request.output.archive);
  EXPECT_FALSE(request.network_isolation);
  EXPECT_FALSE(request.checkpoints);
  EXPECT_FALSE(request.mpi);
  EXPECT_TRUE(request.channels.empty());
}

TEST(TrainingRequest, ReadsWhatARequestSays) {
  const auto request = ValueOrThrow(ParseTrainingRequest(R"x({
      "AlgorithmSpecification": {"TrainingInputMode": "Pipe", "ContainerEntrypoint": ["/bin/sh", "-c"],
          "ContainerArguments": ["true"], "MetricDefinitions": [{"Name": "loss", "Regex": "loss: (.*)"}]},
      "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 5},
      "StoppingCondition": {"MaxRuntimeInSeconds": 600},
      "InputDataConfig": [
        {"ChannelName": "train", "ContentType": "x/y", "CompressionType": "Gzip", "RecordWrapperType": "RecordIO",
         "ShuffleConfig": {"Seed": 7}, "DataSource": {"S3DataSource": {"S3Uri": "s3://b/train", "S3DataType":
         "AugmentedManifestFile", "S3DataDistributionType": "ShardedByS3Key", "AttributeNames": ["a-ref", "b"],
         "InstanceGroupNames": ["g"]}}},
        {"ChannelName": "eval", "InputMode": "File", "DataSource": {"S3DataSource": {"S3Uri": "s3://b/eval"}}}],
      "OutputDataConfig": {"S3OutputPath": "s3://b/out", "CompressionType": "NONE"},
      "CheckpointConfig": {"S3Uri": "s3://b/ckpt", "LocalPath": ""},
      "RetryStrategy": {"MaximumRetryAttempts": 3}, "EnableNetworkIsolation": true, "Environment": {"A": "1"},
      "HyperParameters": {"epochs": "3", "sagemaker_program": "\"train.py\""}, "VpcConfig": null})x"));
  EXPECT_EQ(request.algorithm.container_entrypoint, (Texts{"/bin/sh", "-c"}));
  EXPECT_EQ(request.algorithm.container_arguments, Texts{"true"});
  ASSERT_EQ(request.algorithm.metric_definitions.size(), 1u);
  EXPECT_EQ(request.algorithm.metric_definitions[0].regex, "loss: (.*)");
  EXPECT_EQ(request.hosts(), (Texts{"algo-1", "algo-2"}));
  EXPECT_EQ(request.resources.GroupOf("algo-2").instance_type, "ml.m5.large");
  EXPECT_EQ(request.resources.volume_bytes, uint64_t{5} << 30);
  EXPECT_EQ(request.stopping.max_runtime_seconds, 600);
  ASSERT_EQ(request.channels.size(), 2u);
  const auto& train = request.channels[0];
  EXPECT_EQ(train.name + train.mode + train.content_type, "trainPipex/y");
  EXPECT_EQ(train.compression + train.record_wrapper, "GzipRecordIO");
  EXPECT_EQ(train.data_type + train.distribution, "AugmentedManifestFileShardedByS3Key");
  EXPECT_EQ(train.shuffle_seed, 7);
  EXPECT_EQ(train.attributes, (Texts{"a-ref", "b"}));
  EXPECT_EQ(train.instance_groups, Texts{"g"});
  EXPECT_EQ(request.channels[1].mode, "File");
  EXPECT_EQ(request.channels[1].s3_uri, "s3://b/eval");
  EXPECT_EQ(request.output.s3_output_path, "s3://b/out");
  EXPECT_FALSE(request.output.archive);
  ASSERT_TRUE(request.checkpoints);
  EXPECT_EQ(request.checkpoints->local_path, "/opt/ml/checkpoints");
  EXPECT_EQ(request.retries, 3);
  EXPECT_TRUE(request.network_isolation);
  EXPECT_EQ(request.environment.at("A"), "1");
  EXPECT_EQ(request.hyperparameters.user, json({{"epochs", 3}}));
  EXPECT_EQ(request.hyperparameters.Text("sagemaker_program"), "train.py");
  EXPECT_EQ(request.document["HyperParameters"]["epochs"], "3");  // as it was sent
}

TEST(TrainingRequest, HostsBelongToGroupsInTheirOrder) {
  const auto request = ValueOrThrow(DecodeTrainingRequest(
      {{"ResourceConfig",
        {{"InstanceGroups",
          {{{"InstanceGroupName", "a"}, {"InstanceType", "ml.m5.large"}, {"InstanceCount", 2}},
           {{"InstanceGroupName", "b"}, {"InstanceType", "ml.c5.xlarge"}, {"InstanceCount", 1}}}}}}}));
  EXPECT_TRUE(request.resources.has_groups);
  EXPECT_EQ(request.hosts(), (Texts{"algo-1", "algo-2", "algo-3"}));
  constexpr uint64_t kGiB = uint64_t{1} << 30;
  EXPECT_EQ(request.host_sizes(), (std::vector<InstanceSize>{{2, 8 * kGiB}, {2, 8 * kGiB}, {4, 8 * kGiB}}));
  EXPECT_EQ(request.resources.GroupOf("algo-1").name, "a");
  EXPECT_EQ(request.resources.GroupOf("algo-2").name, "a");
  EXPECT_EQ(request.resources.GroupOf("algo-3").name, "b");
  for (const char* none : {"algo-4", "algo-0", "algo-", "", "algo-99999999999"})
    EXPECT_EQ(request.resources.GroupOf(none).name, "a") << none;
}

TEST(TrainingRequest, NamesWhatCannotBe) {
  EXPECT_EQ(ErrorOf({{"ResourceConfig", {{"InstanceCount", "2"}}}}),
            "ResourceConfig.InstanceCount: found \"2\", wanted a whole number from 1 to 10000");
  EXPECT_EQ(ErrorOf({{"ResourceConfig", 5}}), "ResourceConfig: found 5, wanted an object");
  EXPECT_EQ(ErrorOf({{"InputDataConfig", {{{"ChannelName", 1}}}}}),
            "InputDataConfig[0].ChannelName: found 1, wanted a text");
  EXPECT_EQ(ErrorOf({{"InputDataConfig", {1}}}), "InputDataConfig[0]: found 1, wanted an object");
  EXPECT_EQ(ErrorOf({{"Environment", {{"A", 1}}}}), "Environment.A: found 1, wanted a text");
  EXPECT_EQ(ErrorOf({{"EnableNetworkIsolation", "yes"}}),
            "EnableNetworkIsolation: found \"yes\", wanted true or false");
  EXPECT_EQ(ErrorOf({{"AlgorithmSpecification", {{"ContainerArguments", "x"}}}}),
            "AlgorithmSpecification.ContainerArguments: found \"x\", wanted a list");
  EXPECT_EQ(ErrorOf(json::array()), "the request of a training job: found array, wanted an object");
  EXPECT_EQ(ErrorOf({{"ResourceConfig", {{"InstanceGroups", json(6, json::object())}}}}),
            "ResourceConfig.InstanceGroups: found 6, wanted at most 5 of them");
  EXPECT_FALSE(ParseTrainingRequest("{"));
}

TEST(Distribution, IsTheToolkits) {
  const auto mpi_of = [](json parameters, int hosts) { return MpiOf(DecodeHyperparameters(parameters), hosts); };
  EXPECT_FALSE(ValueOrThrow(mpi_of(json::object(), 2)));
  EXPECT_FALSE(ValueOrThrow(mpi_of({{"sagemaker_mpi_enabled", "false"}}, 2)));
  EXPECT_EQ(*ValueOrThrow(mpi_of({{"sagemaker_mpi_enabled", "true"}}, 2)), (MpiDistribution{1, 2, ""}));
  EXPECT_EQ(*ValueOrThrow(mpi_of({{"sagemaker_mpi_enabled", "true"},
                                  {"sagemaker_mpi_num_of_processes_per_host", "3"},
                                  {"sagemaker_mpi_custom_mpi_options", "\"-x A\""}},
                                 2)),
            (MpiDistribution{3, 6, "-x A"}));
  EXPECT_EQ(*ValueOrThrow(mpi_of({{"sagemaker_mpi_enabled", "1"},
                                  {"sagemaker_mpi_num_of_processes_per_host", "2"},
                                  {"sagemaker_mpi_num_processes", "3"},
                                  {"sagemaker_mpi_custom_mpi_options", "\"\""}},
                                 2)),
            (MpiDistribution{2, 3, ""}));
  const auto many =
      mpi_of({{"sagemaker_mpi_enabled", "true"}, {"sagemaker_mpi_num_of_processes_per_host", "100000"}}, 50'000);
  ASSERT_FALSE(many);
  EXPECT_NE(many.error().message().find("at most 100000 processes altogether"), std::string::npos);
  const auto wrong = mpi_of({{"sagemaker_mpi_enabled", "true"}, {"sagemaker_mpi_num_processes", "many"}}, 2);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message(),
            "HyperParameters.sagemaker_mpi_num_processes: found 'many', wanted a whole number from 1 to 100000");
}

}  // namespace
}  // namespace headrace::jobs
