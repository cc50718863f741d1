#include "jobs/request/member_effects.h"

#include <set>

#include <gmock/gmock.h>

namespace headrace::jobs {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> RefusedPaths(const RequestEffects& effects) {
  std::vector<std::string> paths;
  for (const auto& refused : effects.refused) paths.push_back(refused.path);
  return paths;
}
RequestEffects OfJob(const std::string& request) { return EffectsOfTrainingJob(json::parse(request)); }

TEST(MemberEffects, WhatIsDoneNeedsNoWord) {
  const auto effects = OfJob(R"({"TrainingJobName": "j", "ResourceConfig": {"InstanceCount": 1, "VolumeSizeInGB": 30},
    "InputDataConfig": [{"ChannelName": "c"}], "EnableManagedSpotTraining": false, "VpcConfig": null,
    "HyperParameters": {"epochs": "1", "sagemaker_mpi_enabled": "false"}, "Environment": {"ProfilerConfig": "x"},
    "ProfilerConfig": {"DisableProfiler": true}, "OutputDataConfig": {"KmsKeyId": ""}, "DebugHookConfig": {}})");
  EXPECT_THAT(effects.refused, IsEmpty());
  EXPECT_THAT(effects.without_effect, IsEmpty());
}

TEST(MemberEffects, RefusesWithThePathAndTheRemedy) {
  const auto effects = OfJob(R"({"ResourceConfig": {"TrainingPlanArn": "arn"},
    "InputDataConfig": [{}, {"DataSource": {"FileSystemDataSource": {"FileSystemId": "fs"}}}],
    "TensorBoardOutputConfig": {"S3OutputPath": "s3://b/"}, "DebugRuleConfigurations": [{}]})");
  EXPECT_THAT(RefusedPaths(effects),
              testing::UnorderedElementsAre("resourceConfig.trainingPlanArn", "tensorBoardOutputConfig",
                                            "inputDataConfig.2.member.dataSource.fileSystemDataSource",
                                            "debugRuleConfigurations"));
  for (const auto& refused : effects.refused) EXPECT_FALSE(refused.remedy.empty()) << refused.path;
}

TEST(MemberEffects, SaysWhatHasNoEffect) {
  const auto effects = OfJob(R"({"EnableManagedSpotTraining": true, "ResourceConfig": {"KeepAlivePeriodInSeconds": 60},
    "ProfilerConfig": {"S3OutputPath": "s3://b/"}, "NewerThanWe": {"A": 1}, "NewerAndEmpty": {}})");
  EXPECT_THAT(effects.refused, IsEmpty());
  EXPECT_THAT(LinesOf(effects),
              testing::UnorderedElementsAre(HasSubstr("kept without effect: EnableManagedSpotTraining: "),
                                            HasSubstr("ResourceConfig.KeepAlivePeriodInSeconds: "),
                                            HasSubstr("ProfilerConfig: "),
                                            AllOf(HasSubstr("NewerThanWe: "), HasSubstr("does not know it"))));
}

RequestEffects OfDistribution(const json& hyperparameters, int hosts = 1) {
  return EffectsOfTrainingJob(
      json{{"HyperParameters", hyperparameters}, {"ResourceConfig", {{"InstanceCount", hosts}}}});
}

TEST(MemberEffects, DistributionsThatNobodyStartsAreRefused) {
  for (const json& hyperparameters :
       {json{{"sagemaker_mpi_enabled", "true"}, {"sagemaker_mpi_num_processes", "\"4\""}},
        json{{"sagemaker_mpi_enabled", "\"true\""}, {"sagemaker_mpi_num_processes", "3.5"}},
        json{{"sagemaker_mpi_enabled", "true"}, {"sagemaker_mpi_num_of_processes_per_host", "0"}},
        json{{"sagemaker_mpi_enabled", "true"}, {"sagemaker_mpi_custom_mpi_options", "\"--hostfile mine\""}},
        json{{"sagemaker_distributed_dataparallel_enabled", "true"}},
        json{{"sagemaker_pytorch_xla_multi_worker_enabled", "1"}}, json{{"sagemaker_of_tomorrow_enabled", "true"}},
        json{{"sagemaker_instance_groups", "[\"a\"]"}}, json{{"mp_parameters", "{\"partitions\": 2}"}}}) {
    const auto effects = OfDistribution(hyperparameters, 2);
    ASSERT_EQ(effects.refused.size(), 1u) << hyperparameters;
    EXPECT_FALSE(effects.refused[0].remedy.empty()) << hyperparameters;
  }
  EXPECT_THAT(OfDistribution({{"sagemaker_of_tomorrow_enabled", "false"}, {"enabled", "true"}}).refused, IsEmpty());
}

TEST(MemberEffects, DistributionsOfFrameworksAreDone) {
  for (const char* name : {"sagemaker_parameter_server_enabled", "sagemaker_multi_worker_mirrored_strategy_enabled",
                           "sagemaker_torch_distributed_enabled", "sagemaker_pytorch_ddp_enabled"}) {
    EXPECT_THAT(OfDistribution({{name, "true"}}, 2).refused, IsEmpty()) << name;
    EXPECT_THAT(OfDistribution({{name, "true"}}, 2).without_effect, IsEmpty()) << name;
  }
  const auto alone = OfDistribution({{"sagemaker_parameter_server_enabled", "true"}}, 1);
  EXPECT_THAT(alone.refused, IsEmpty());
  EXPECT_EQ(alone.without_effect.size(), 1u);
}

TEST(MemberEffects, MpiIsDoneAndOneProcessNeedsNoLauncher) {
  const json mpi{{"sagemaker_mpi_enabled", "true"},
                 {"sagemaker_mpi_num_of_processes_per_host", "2"},
                 {"sagemaker_mpi_custom_mpi_options", "\"-x A=1 --NCCL_DEBUG INFO\""}};
  for (const int hosts : {1, 2}) {
    EXPECT_THAT(OfDistribution(mpi, hosts).refused, IsEmpty());
    EXPECT_THAT(OfDistribution(mpi, hosts).without_effect, IsEmpty());
  }
  EXPECT_EQ(OfDistribution({{"sagemaker_mpi_enabled", "true"}}, 1).without_effect.size(), 1u);
  EXPECT_THAT(OfDistribution({{"sagemaker_mpi_enabled", "true"}}, 2).without_effect, IsEmpty());
}

TEST(MemberEffects, AContainerIsTheSameInEitherPlace) {
  const json container{{"Mode", "MultiModel"}, {"ContainerHostname", "h"}};
  for (const json& request : {json{{"PrimaryContainer", container}}, json{{"Containers", {container}}}}) {
    const auto effects = EffectsOf(ModelMembers(), request);
    ASSERT_EQ(effects.refused.size(), 1u);
    EXPECT_EQ(effects.without_effect.size(), 1u);
  }
  EXPECT_THAT(RefusedPaths(EffectsOf(ModelMembers(), json{{"Containers", {container}}})),
              ElementsAre("containers.1.member.mode"));
}

TEST(MemberEffects, TakesAnyJson) {
  for (const char* text : {"null", "[]", "7", R"({"InputDataConfig": 7, "ResourceConfig": [1], "HyperParameters": []})",
                           R"({"InputDataConfig": [[7], null]})"})
    for (const auto members : {TrainingJobMembers(), ModelMembers(), EndpointConfigMembers(), TransformJobMembers()})
      (void)EffectsOf(members, json::parse(text));
  json many;
  for (int i = 0; i < 1000; ++i) many["Unknown" + std::to_string(i)] = 1;
  EXPECT_LE(EffectsOf(ModelMembers(), many).without_effect.size(), 20u);
}

TEST(MemberEffects, NoMemberIsInATableTwiceAndEachRefusalHasARemedy) {
  for (const auto members : {TrainingJobMembers(), ModelMembers(), EndpointConfigMembers(), TransformJobMembers(),
                             DistributionHyperparameters()}) {
    std::set<std::string_view> seen;
    for (const auto& member : members) {
      EXPECT_TRUE(seen.insert(member.path).second) << member.path;
      EXPECT_TRUE(member.effect == Effect::kDone || !member.says.empty()) << member.path;
    }
  }
}

}  // namespace
}  // namespace headrace::jobs
