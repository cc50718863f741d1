#include "api/sagemaker/training_job_shape.h"

namespace headrace::api::sagemaker {
namespace {

Shape Any(int64_t shortest, int64_t longest) { return Shape::Text(shortest, longest, ".*"); }
Shape S3Uri() { return Shape::Text(0, 1024, "(https|s3)://([^/]+)/?(.*)"); }
Shape KmsKeyId() { return Shape::Text(0, 2048, "[a-zA-Z0-9:/_-]*"); }
Shape InputMode() { return Shape::Enum({"Pipe", "File", "FastFile"}); }
Shape Path() { return Any(0, 4096); }
Shape ConfigMap(int64_t most) { return Shape::Map(Any(1, 256), Any(0, 256), most); }
// The service enumerates some 250 types; which of them this machine can stand in for is looked at afterwards.
Shape InstanceType() { return Shape::Text(1, 64, R"(ml\.[a-z0-9\-]+\.[a-z0-9\-]+|local)"); }
Shape EntityName() { return Shape::Text(1, 120, "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,119}"); }

Shape AlgorithmSpecification() {
  return Shape::Structure({{"TrainingImage", Any(0, 255)},
                           {"AlgorithmName", Shape::Text(1, 170)},
                           {"TrainingInputMode", InputMode(), true},
                           {"MetricDefinitions", MetricDefinitionsShape()},
                           {"EnableSageMakerMetricsTimeSeries", Shape::Boolean()},
                           {"ContainerEntrypoint", Shape::List(Any(0, 256), 1, 100)},
                           {"ContainerArguments", Shape::List(Any(0, 256), 1, 100)},
                           {"TrainingImageConfig", Shape::Structure({{"TrainingRepositoryAccessMode",
                                                                      Shape::Enum({"Platform", "Vpc"}), true}})}});
}

Shape S3DataSource() {
  return Shape::Structure(
      {{"S3DataType", Shape::Enum({"ManifestFile", "S3Prefix", "AugmentedManifestFile", "Converse"}), true},
       {"S3Uri", S3Uri(), true},
       {"S3DataDistributionType", Shape::Enum({"FullyReplicated", "ShardedByS3Key"})},
       {"AttributeNames", Shape::List(Shape::Text(1, 256, ".+"), 0, 16)},
       {"InstanceGroupNames", Shape::List(Shape::Text(1, 64, ".+"), 0, 5)},
       {"ModelAccessConfig", Shape::Structure({{"AcceptEula", Shape::Boolean(), true}})},
       {"HubAccessConfig", Shape::Structure({{"HubContentArn", Any(0, 255), true}})}});
}

Shape FileSystemDataSource() {
  return Shape::Structure({{"FileSystemId", Shape::Text(11, 21, "(fs-[0-9a-f]{8,})"), true},
                           {"FileSystemAccessMode", Shape::Enum({"rw", "ro"}), true},
                           {"FileSystemType", Shape::Enum({"EFS", "FSxLustre"}), true},
                           {"DirectoryPath", Path(), true}});
}

Shape Channel() {
  return Shape::Structure(
      {{"ChannelName", Shape::Text(1, 64, R"([A-Za-z0-9\.\-_]+)"), true},
       {"DataSource",
        Shape::Structure({{"S3DataSource", S3DataSource()}, {"FileSystemDataSource", FileSystemDataSource()}}), true},
       {"ContentType", Any(0, 256)},
       {"CompressionType", Shape::Enum({"None", "Gzip"})},
       {"RecordWrapperType", Shape::Enum({"None", "RecordIO"})},
       {"InputMode", InputMode()},
       {"ShuffleConfig", Shape::Structure({{"Seed", Shape::Integer(), true}})}});
}

Shape OutputDataConfig() {
  return Shape::Structure(
      {{"KmsKeyId", KmsKeyId()}, {"S3OutputPath", S3Uri(), true}, {"CompressionType", Shape::Enum({"GZIP", "NONE"})}});
}

Shape ResourceConfig() {
  return Shape::Structure(
      {{"InstanceType", InstanceType()},
       {"InstanceCount", Shape::Integer(0)},
       {"VolumeSizeInGB", Shape::Integer(0)},
       {"VolumeKmsKeyId", KmsKeyId()},
       {"KeepAlivePeriodInSeconds", Shape::Integer(0, 21600)},
       {"InstanceGroups", Shape::List(Shape::Structure({{"InstanceType", InstanceType(), true},
                                                        {"InstanceCount", Shape::Integer(0), true},
                                                        {"InstanceGroupName", Shape::Text(1, 64, ".+"), true}}),
                                      0, 5)},
       {"TrainingPlanArn", Shape::Text(50, 2048)}});
}

Shape VpcConfig() {
  const Shape id = Shape::Text(0, 32, "[-0-9a-zA-Z]+");
  return Shape::Structure(
      {{"SecurityGroupIds", Shape::List(id, 1, 5), true}, {"Subnets", Shape::List(id, 1, 16), true}});
}

Shape StoppingCondition() {
  return Shape::Structure({{"MaxRuntimeInSeconds", Shape::Integer(1)},
                           {"MaxWaitTimeInSeconds", Shape::Integer(1)},
                           {"MaxPendingTimeInSeconds", Shape::Integer(1800, 2'419'200)}});
}

Shape DebugHookConfig() {
  return Shape::Structure(
      {{"LocalPath", Path()},
       {"S3OutputPath", S3Uri(), true},
       {"HookParameters", ConfigMap(20)},
       {"CollectionConfigurations",
        Shape::List(Shape::Structure({{"CollectionName", Any(1, 256)}, {"CollectionParameters", ConfigMap(20)}}), 0,
                    20)}});
}

Shape RuleConfigurations() {
  return Shape::List(Shape::Structure({{"RuleConfigurationName", Any(1, 256), true},
                                       {"LocalPath", Path()},
                                       {"S3OutputPath", S3Uri()},
                                       {"RuleEvaluatorImage", Any(0, 255), true},
                                       {"VolumeSizeInGB", Shape::Integer(0)},
                                       {"RuleParameters", ConfigMap(100)}}),
                     0, 20);
}

}  // namespace

Shape TrainingJobNameShape() { return Shape::Text(1, 63, "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"); }

Shape TagListShape() {
  const char* pattern = R"(([\p{L}\p{Z}\p{N}_.:/=+\-@]*))";
  return Shape::List(
      Shape::Structure({{"Key", Shape::Text(1, 128, pattern), true}, {"Value", Shape::Text(0, 256, pattern), true}}), 0,
      50);
}

// Closed: a misspelt member here would be a metric that silently never appears.
Shape MetricDefinitionsShape() {
  return Shape::List(
      Shape::ClosedStructure({{"Name", Shape::Text(1, 255, ".+"), true}, {"Regex", Shape::Text(1, 500, ".+"), true}}),
      0, 40);
}

Shape ProfilerConfigShape() {
  return Shape::Structure({{"S3OutputPath", S3Uri()},
                           {"ProfilingIntervalInMilliseconds", Shape::Integer()},
                           {"ProfilingParameters", ConfigMap(20)},
                           {"DisableProfiler", Shape::Boolean()}});
}

Shape RemoteDebugConfigShape() { return Shape::Structure({{"EnableRemoteDebug", Shape::Boolean()}}); }

Shape CreateTrainingJobShape() {
  return Shape::Structure(
      {{"TrainingJobName", TrainingJobNameShape(), true},
       {"HyperParameters", Shape::Map(Any(0, 256), Any(0, 2500), 100)},
       // The newest model leaves these two out of "required" for jobs without instances, which there are none of here.
       {"AlgorithmSpecification", AlgorithmSpecification(), true},
       {"ResourceConfig", ResourceConfig(), true},
       {"RoleArn", Shape::Text(20, 2048, R"(arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+)"), true},
       {"InputDataConfig", Shape::List(Channel(), 1, 20)},
       {"OutputDataConfig", OutputDataConfig(), true},
       {"VpcConfig", VpcConfig()},
       {"StoppingCondition", StoppingCondition()},
       {"Tags", TagListShape()},
       {"EnableNetworkIsolation", Shape::Boolean()},
       {"EnableInterContainerTrafficEncryption", Shape::Boolean()},
       {"EnableManagedSpotTraining", Shape::Boolean()},
       {"CheckpointConfig", Shape::Structure({{"S3Uri", S3Uri(), true}, {"LocalPath", Path()}})},
       {"DebugHookConfig", DebugHookConfig()},
       {"DebugRuleConfigurations", RuleConfigurations()},
       {"TensorBoardOutputConfig", Shape::Structure({{"LocalPath", Path()}, {"S3OutputPath", S3Uri(), true}})},
       {"ExperimentConfig", Shape::Structure({{"ExperimentName", EntityName()},
                                              {"TrialName", EntityName()},
                                              {"TrialComponentDisplayName", EntityName()},
                                              {"RunName", EntityName()}})},
       {"ProfilerConfig", ProfilerConfigShape()},
       {"ProfilerRuleConfigurations", RuleConfigurations()},
       {"Environment", Shape::Map(Shape::Text(0, 512, "[a-zA-Z_][a-zA-Z0-9_]*"), Shape::Text(0, 512), 100)},
       {"RetryStrategy", Shape::Structure({{"MaximumRetryAttempts", Shape::Integer(1, 30), true}})},
       {"RemoteDebugConfig", RemoteDebugConfigShape()},
       {"InfraCheckConfig", Shape::Structure({{"EnableInfraCheck", Shape::Boolean()}})},
       {"SessionChainingConfig", Shape::Structure({{"EnableSessionTagChaining", Shape::Boolean()}})}});
}

}  // namespace headrace::api::sagemaker
