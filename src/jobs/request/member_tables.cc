// The tables of member_effects.h. A member that is added to a shape of api/sagemaker needs a line here (the test
// member_effects_test.cc of that module looks).
#include "jobs/request/member_effects.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;

constexpr auto kDone = Effect::kDone;
constexpr auto kRefused = Effect::kRefused;
constexpr auto kWithout = Effect::kWithoutEffect;

constexpr std::string_view kNoKeys =
    "nothing is encrypted with keys of KMS here: encrypt the disk that holds the data directory";
constexpr std::string_view kNoVpc = "there is no VPC here: EnableNetworkIsolation keeps a job from the network";
constexpr std::string_view kNoExperiments = "there are no experiments here: Tags and ListTrainingJobs find jobs again";
constexpr std::string_view kNoRegistry = "no image is pulled: programs and models run on this machine's own runtimes";
constexpr std::string_view kNoPackages = "there are no model packages here, give Image and ModelDataUrl";

bool HasAny(const json& value) { return value.is_object() && !value.empty(); }
bool ProfilerIsOn(const json& value) {
  return HasAny(value) && !(value.contains("DisableProfiler") && value["DisableProfiler"] == true);
}
bool IsMultiModel(const json& value) { return value == "MultiModel"; }
bool IsConverse(const json& value) { return value == "Converse"; }

constexpr MemberEffect kTrainingJob[] = {
    {"TrainingJobName"},
    {"HyperParameters"},
    {"AlgorithmSpecification.TrainingImage", kDone,
     "says which framework, and so which of this machine's interpreters of Python runs the program"},
    {"AlgorithmSpecification.AlgorithmName", kRefused,
     "algorithm resources are not offered here, name a TrainingImage"},
    {"AlgorithmSpecification.TrainingInputMode"},
    {"AlgorithmSpecification.MetricDefinitions"},
    {"AlgorithmSpecification.EnableSageMakerMetricsTimeSeries", kDone,
     "every value of every metric is kept, whatever it says"},
    {"AlgorithmSpecification.ContainerEntrypoint"},
    {"AlgorithmSpecification.ContainerArguments"},
    {"AlgorithmSpecification.TrainingImageConfig", kWithout, kNoRegistry, HasAny},
    {"RoleArn", kDone, "a name: a job acts as its account"},
    {"InputDataConfig[].ChannelName"},
    {"InputDataConfig[].DataSource.S3DataSource.S3DataType", kRefused,
     "give S3Prefix, ManifestFile or AugmentedManifestFile", IsConverse, "Converse"},
    {"InputDataConfig[].DataSource.S3DataSource.S3Uri"},
    {"InputDataConfig[].DataSource.S3DataSource.S3DataDistributionType"},
    {"InputDataConfig[].DataSource.S3DataSource.AttributeNames"},
    {"InputDataConfig[].DataSource.S3DataSource.InstanceGroupNames"},
    {"InputDataConfig[].DataSource.S3DataSource.ModelAccessConfig", kWithout, "no licence is asked for here", HasAny},
    {"InputDataConfig[].DataSource.S3DataSource.HubAccessConfig", kRefused,
     "there are no hubs here, copy the data to S3"},
    {"InputDataConfig[].DataSource.FileSystemDataSource", kRefused,
     "file systems are not offered here, copy the data to S3"},
    {"InputDataConfig[].DataSource.DatasetSource", kRefused, "data sets are not offered here, copy the data to S3"},
    {"InputDataConfig[].ContentType"},
    {"InputDataConfig[].CompressionType"},
    {"InputDataConfig[].RecordWrapperType"},
    {"InputDataConfig[].InputMode"},
    {"InputDataConfig[].ShuffleConfig"},
    {"OutputDataConfig.KmsKeyId", kWithout, kNoKeys},
    {"OutputDataConfig.S3OutputPath"},
    {"OutputDataConfig.CompressionType"},
    {"ResourceConfig.InstanceType"},
    {"ResourceConfig.InstanceCount", kDone, "each instance is a sandbox with a share of this machine"},
    {"ResourceConfig.VolumeSizeInGB"},
    {"ResourceConfig.VolumeKmsKeyId", kWithout, kNoKeys},
    {"ResourceConfig.KeepAlivePeriodInSeconds", kWithout,
     "there are no warm pools here: a job starts in milliseconds without one"},
    {"ResourceConfig.InstanceGroups"},
    {"ResourceConfig.TrainingPlanArn", kRefused, "there are no training plans here, leave it out"},
    {"ResourceConfig.InstancePlacementConfig", kRefused, "there is one machine to place instances on, leave it out"},
    {"ResourceConfig.InstancePreferences", kRefused, "give InstanceType and InstanceCount instead"},
    {"ResourceConfig.SelectedInstanceType", kRefused, "give InstanceType instead"},
    {"ResourceConfig.SelectedInstanceCount", kRefused, "give InstanceCount instead"},
    {"VpcConfig", kWithout, kNoVpc},
    {"StoppingCondition.MaxRuntimeInSeconds"},
    {"StoppingCondition.MaxWaitTimeInSeconds", kWithout, "a job waits for cores as long as it must"},
    {"StoppingCondition.MaxPendingTimeInSeconds", kWithout, "a job waits for cores as long as it must"},
    {"Tags"},
    {"EnableNetworkIsolation"},
    {"EnableInterContainerTrafficEncryption", kWithout,
     "the instances of a job are on one machine, and speak over its loopback"},
    {"EnableManagedSpotTraining", kWithout,
     "there are no spot instances here: the job is never interrupted, and costs as before"},
    {"CheckpointConfig"},
    {"DebugHookConfig.LocalPath", kWithout, "no tensors are saved here"},
    {"DebugHookConfig.S3OutputPath", kWithout, "no tensors are saved here"},
    {"DebugHookConfig.HookParameters", kWithout, "no tensors are saved here"},
    {"DebugHookConfig.CollectionConfigurations", kRefused,
     "no tensors are saved here: leave the collections out and write them to /opt/ml/output/data"},
    {"DebugRuleConfigurations", kRefused,
     "no rules are evaluated here: leave them out and watch the job's metrics (MetricDefinitions)"},
    {"TensorBoardOutputConfig", kRefused,
     "no directory is copied for TensorBoard here: write the events below CheckpointConfig.LocalPath, or to s3:// "
     "yourself"},
    {"ExperimentConfig", kWithout, kNoExperiments, HasAny},
    {"ProfilerConfig", kWithout, "nothing is profiled here; the use of processor, memory and disk is in CloudWatch",
     ProfilerIsOn, "unless DisableProfiler"},
    {"ProfilerRuleConfigurations", kWithout, "nothing is profiled here"},
    {"Environment"},
    {"RetryStrategy"},
    {"RemoteDebugConfig.EnableRemoteDebug", kRefused, "no shell is opened in jobs here, leave it out"},
    {"InfraCheckConfig.EnableInfraCheck", kWithout, "there is one machine; headrace doctor checks it"},
    {"SessionChainingConfig.EnableSessionTagChaining", kWithout, "sessions have no tags here"},
    {"ServerlessJobConfig", kRefused, "jobs have an instance here: give AlgorithmSpecification and ResourceConfig"},
    {"MlflowConfig", kRefused, "there is no MLflow here, leave it out"},
    {"ModelPackageConfig", kRefused, "there are no model packages here, leave it out"},
};

constexpr MemberEffect kModel[] = {
    {"ModelName"},
    {"PrimaryContainer.ContainerHostname", kWithout, "the only container is asked by the platform alone"},
    {"PrimaryContainer.Image", kDone, "TensorFlow Serving's; Headrace's model server stands in for it"},
    {"PrimaryContainer.ImageConfig", kWithout, kNoRegistry, HasAny},
    {"PrimaryContainer.Mode", kRefused, "multi-model endpoints are not offered here, give SingleModel", IsMultiModel,
     "MultiModel"},
    {"PrimaryContainer.ModelDataUrl"},
    {"PrimaryContainer.ModelDataSource.S3DataSource.S3Uri"},
    {"PrimaryContainer.ModelDataSource.S3DataSource.S3DataType"},
    {"PrimaryContainer.ModelDataSource.S3DataSource.CompressionType"},
    {"PrimaryContainer.ModelDataSource.S3DataSource.ModelAccessConfig", kWithout, "no licence is asked for here",
     HasAny},
    {"PrimaryContainer.ModelDataSource.S3DataSource.HubAccessConfig", kRefused,
     "there are no hubs here, copy the model to S3"},
    {"PrimaryContainer.ModelDataSource.S3DataSource.ManifestS3Uri", kRefused,
     "give the model's files as a prefix or an archive"},
    {"PrimaryContainer.ModelDataSource.S3DataSource.ETag", kRefused, "the object is taken as it is: leave it out"},
    {"PrimaryContainer.ModelDataSource.S3DataSource.ManifestEtag", kRefused,
     "the object is taken as it is: leave it out"},
    {"PrimaryContainer.AdditionalModelDataSources", kRefused, "a model has one source of data here"},
    {"PrimaryContainer.Environment", kDone, "the SAGEMAKER_TFS_ names for default model, batching and threads count"},
    {"PrimaryContainer.ModelPackageName", kRefused, kNoPackages},
    {"PrimaryContainer.InferenceSpecificationName", kRefused, kNoPackages},
    {"PrimaryContainer.MultiModelConfig", kRefused, "multi-model endpoints are not offered here"},
    {"PrimaryContainer.ContainerMetricsConfig", kWithout, "model servers are measured from outside here", HasAny},
    {"InferenceExecutionConfig", kWithout, "a model has one container here", HasAny},
    {"ExecutionRoleArn", kDone, "a name: a model's files are read as its account"},
    {"Tags"},
    {"VpcConfig", kWithout, "there is no VPC here: model servers are asked by the platform alone"},
    {"EnableNetworkIsolation", kWithout, "model servers run no code of the model's, and call nobody"},
    {"ModelDataCaptureConfig", kRefused, "data capture is not offered here"},
};

constexpr MemberEffect kEndpointConfig[] = {
    {"EndpointConfigName"},
    {"ProductionVariants[].VariantName"},
    {"ProductionVariants[].ModelName"},
    {"ProductionVariants[].InitialInstanceCount"},
    {"ProductionVariants[].InstanceType"},
    {"ProductionVariants[].InitialVariantWeight"},
    {"ProductionVariants[].ContainerStartupHealthCheckTimeoutInSeconds"},
    {"ProductionVariants[].RoutingConfig.RoutingStrategy"},
    {"ProductionVariants[].RoutingConfig.PrefixAwareRoutingConfig", kRefused,
     "requests are not routed by their prefix here"},
    {"ProductionVariants[].VolumeSizeInGB", kWithout, "models lie on this machine's disk"},
    {"ProductionVariants[].ModelDataDownloadTimeoutInSeconds", kWithout, "models come from this machine's disk"},
    {"ProductionVariants[].VariantInstanceProvisionTimeoutInSeconds", kWithout,
     "instances are processes of this machine"},
    {"ProductionVariants[].InferenceAmiVersion", kWithout, "instances are processes of this machine"},
    {"ProductionVariants[].EnableSSMAccess", kRefused, "no shell is opened in instances here"},
    {"ProductionVariants[].ServerlessConfig", kRefused,
     "endpoints have instances here: give InstanceType and InitialInstanceCount"},
    {"ProductionVariants[].AcceleratorType", kRefused, "there are no accelerators to attach here"},
    {"ProductionVariants[].CoreDumpConfig", kRefused, "no core dumps are kept here"},
    {"ProductionVariants[].ManagedInstanceScaling", kRefused, "instances are not scaled here"},
    {"ProductionVariants[].CapacityReservationConfig", kRefused, "there are no capacity reservations here"},
    {"ProductionVariants[].InstancePools", kRefused, "a variant has instances of one type here"},
    {"ProductionVariants[].AcceleratorPartitionLayouts", kRefused, "there are no accelerators to part here"},
    {"DataCaptureConfig.EnableCapture", kRefused, "data capture is not offered here"},
    {"DataCaptureConfig.InitialSamplingPercentage"},
    {"DataCaptureConfig.DestinationS3Uri"},
    {"DataCaptureConfig.KmsKeyId"},
    {"DataCaptureConfig.CaptureOptions"},
    {"DataCaptureConfig.CaptureContentTypeHeader"},
    {"Tags"},
    {"KmsKeyId", kWithout, kNoKeys},
    {"AsyncInferenceConfig", kRefused, "asynchronous inference is not offered here"},
    {"ExplainerConfig", kRefused, "explanations are not offered here"},
    {"ShadowProductionVariants", kRefused, "shadow variants are not offered here"},
    {"ExecutionRoleArn", kDone, "a name: a model's files are read as its account"},
    {"VpcConfig", kWithout, "there is no VPC here: model servers are asked by the platform alone"},
    {"EnableNetworkIsolation", kWithout, "model servers run no code of the model's, and call nobody"},
    {"MetricsConfig", kRefused, "metrics come as they are here"},
    {"CrossRegionTrafficConfig", kRefused, "there is one region here"},
};

constexpr MemberEffect kTransformJob[] = {
    {"TransformJobName"},
    {"ModelName"},
    {"MaxConcurrentTransforms"},
    {"ModelClientConfig"},
    {"MaxPayloadInMB"},
    {"BatchStrategy"},
    {"Environment"},
    {"TransformInput"},
    {"TransformOutput.S3OutputPath"},
    {"TransformOutput.Accept"},
    {"TransformOutput.AssembleWith"},
    {"TransformOutput.KmsKeyId", kWithout, kNoKeys},
    {"DataCaptureConfig", kRefused, "data capture is not offered here"},
    {"TransformResources.InstanceType"},
    {"TransformResources.InstanceCount"},
    {"TransformResources.VolumeKmsKeyId", kWithout, kNoKeys},
    {"TransformResources.TransformAmiVersion", kWithout, "instances are processes of this machine"},
    {"DataProcessing"},
    {"Tags"},
    {"ExperimentConfig", kWithout, kNoExperiments, HasAny},
};

constexpr std::string_view kOneProcess = "the job has one process, on one host: it is started without a launcher";
constexpr std::string_view kOneOfEach = "each instance runs the program once, with torchrun's variables";
constexpr std::string_view kNoLauncher =
    "its processes are not started here: leave the distribution out, or give sagemaker_mpi_enabled";

constexpr MemberEffect kDistribution[] = {
    {"sagemaker_mpi_enabled", kDone, "mpirun starts one process or more on each instance"},
    {"sagemaker_parameter_server_enabled", kWithout, kOneProcess, nullptr,
     "on one instance; on several each has a server and TF_CONFIG"},
    {"sagemaker_multi_worker_mirrored_strategy_enabled", kDone, "each instance has TF_CONFIG"},
    {"sagemaker_torch_distributed_enabled", kDone, kOneOfEach},
    {"sagemaker_pytorch_ddp_enabled", kDone, kOneOfEach},
    {"sagemaker_distributed_dataparallel_enabled", kRefused, kNoLauncher},
    {"sagemaker_pytorch_xla_multi_worker_enabled", kRefused, kNoLauncher},
    {"sagemaker_instance_groups", kRefused, "processes are started on the instances of all groups here: leave it out"},
    {"sagemaker_distribution_instance_groups", kRefused,
     "processes are started on the instances of all groups here: leave it out"},
    {"mp_parameters", kRefused, "smdistributed.modelparallel is not here: leave the distribution out"},
};

}  // namespace

std::span<const MemberEffect> TrainingJobMembers() { return kTrainingJob; }
std::span<const MemberEffect> ModelMembers() { return kModel; }
std::span<const MemberEffect> EndpointConfigMembers() { return kEndpointConfig; }
std::span<const MemberEffect> TransformJobMembers() { return kTransformJob; }
std::span<const MemberEffect> DistributionHyperparameters() { return kDistribution; }

}  // namespace headrace::jobs
