#include "jobs/runtime/contract.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;
using ::testing::IsSupersetOf;

// The seed's job, as its SDK sends it.
JobDescription SeedsJob() {
  JobDescription job;
  job.job_name = "cifar10-tf";
  job.job_arn = "arn:aws:sagemaker:us-west-2:1:training-job/cifar10-tf";
  job.region = "us-west-2";
  job.request =
      ValueOrThrow(DecodeTrainingRequest({{"ResourceConfig", {{"InstanceType", "ml.p3.2xlarge"}, {"InstanceCount", 1}}},
                                          {"HyperParameters",
                                           {{"batch-size", "256"},
                                            {"epochs", "10"},
                                            {"model_dir", "\"/opt/ml/model\""},
                                            {"sagemaker_program", "\"keras_cifar10.py\""},
                                            {"sagemaker_submit_directory", "\"s3://B/JOB/source/sourcedir.tar.gz\""},
                                            {"sagemaker_container_log_level", "20"},
                                            {"sagemaker_mpi_enabled", "true"}}},
                                          {"Environment", {{"MINE", "1"}}},
                                          {"CheckpointConfig", {{"S3Uri", "s3://B/c"}}}}));
  job.hosts = {"algo-1", "algo-2"};
  job.cpus = {0, 1};
  InputChannel train, eval;
  train.name = "train";
  eval.name = "eval";
  eval.mode = "Pipe";
  eval.content_type = "text/csv";
  eval.distribution = "ShardedByS3Key";
  eval.record_wrapper = "RecordIO";
  job.channels = {train, eval};
  job.environment = {{"AWS_ENDPOINT_URL", "http://127.0.0.1:4567"}};
  return job;
}

const Program kProgram{"keras_cifar10.py", "s3://B/JOB/source/sourcedir.tar.gz", {"--batch-size", "256"}};

TEST(ContractTest, FilesAreAsTheContractHasThem) {
  const TemporaryDirectory ml;
  const auto job = SeedsJob();
  ValueOrThrow(WriteContractFiles(job, ValueOrThrow(HeldDirectory::Open(ml.path()))));
  const auto read = [&](const std::string& name) {
    return json::parse(ValueOrThrow(ReadFile(ml / ("input/config/" + name + ".json"))));
  };
  EXPECT_EQ(read("hyperparameters"), job.request.document["HyperParameters"]);  // verbatim
  EXPECT_EQ(read("inputdataconfig"), json::parse(R"({
      "train": {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"},
      "eval": {"ContentType": "text/csv", "TrainingInputMode": "Pipe", "S3DistributionType": "ShardedByS3Key",
               "RecordWrapperType": "RecordIO"}})"));
  EXPECT_EQ(read("resourceconfig"), json::parse(R"({
      "current_host": "algo-1", "current_instance_type": "ml.p3.2xlarge", "current_group_name": "homogeneousCluster",
      "hosts": ["algo-1", "algo-2"], "network_interface_name": "lo",
      "instance_groups": [{"instance_group_name": "homogeneousCluster", "instance_type": "ml.p3.2xlarge",
                           "hosts": ["algo-1", "algo-2"]}]})"));
  EXPECT_EQ(read("checkpointconfig"), job.request.document["CheckpointConfig"]);
  for (const char* directory : {"model", "output/data", "output/intermediate", "input/data", "code", "checkpoints"})
    EXPECT_TRUE(std::filesystem::is_directory(ml / directory)) << directory;
}

TEST(ContractTest, ThreadsThatWaitAreBoundedUnlessTheRequestSaysHowTheyWait) {
  const auto spins = [](const nlohmann::json& environment) {
    auto job = SeedsJob();
    job.request.environment = environment.get<decltype(job.request.environment)>();
    const auto variables = ContractVariables(job, kProgram, "/opt/ml", "/opt/headrace/requirements");
    const auto found = variables.find("GOMP_SPINCOUNT");
    return found == variables.end() ? "" : found->second;
  };
  EXPECT_EQ(spins(json::object()), "3000");
  EXPECT_EQ(spins({{"GOMP_SPINCOUNT", "7"}}), "7");
  EXPECT_EQ(spins({{"OMP_WAIT_POLICY", "active"}}), "");
}

TEST(ContractTest, VariablesAreAsTheToolkitSetsThem) {
  using Pair = std::pair<const std::string, std::string>;
  const auto variables = ContractVariables(SeedsJob(), kProgram, "/opt/ml", "/opt/headrace/requirements");
  const std::vector<Pair> wanted = {{"SM_HOSTS", R"(["algo-1","algo-2"])"},
                                    {"SM_CURRENT_HOST", "algo-1"},
                                    {"SM_NETWORK_INTERFACE_NAME", "lo"},
                                    {"SM_HPS", R"({"batch-size":256,"epochs":10,"model_dir":"/opt/ml/model"})"},
                                    {"SM_HP_BATCH-SIZE", "256"},
                                    {"SM_HP_MODEL_DIR", "/opt/ml/model"},
                                    {"SM_USER_ENTRY_POINT", "keras_cifar10.py"},
                                    {"SM_MODULE_NAME", "keras_cifar10"},
                                    {"SM_MODULE_DIR", "s3://B/JOB/source/sourcedir.tar.gz"},
                                    {"SM_FRAMEWORK_PARAMS", R"({"sagemaker_mpi_enabled":true})"},
                                    {"SM_FRAMEWORK_MODULE", "sagemaker_tensorflow_container.training:main"},
                                    {"SM_CHANNELS", R"(["eval","train"])"},
                                    {"SM_CHANNEL_TRAIN", "/opt/ml/input/data/train"},
                                    {"SM_CHANNEL_EVAL", "/opt/ml/input/data/eval"},
                                    {"SM_MODEL_DIR", "/opt/ml/model"},
                                    {"SM_OUTPUT_DIR", "/opt/ml/output"},
                                    {"SM_OUTPUT_DATA_DIR", "/opt/ml/output/data"},
                                    {"SM_OUTPUT_INTERMEDIATE_DIR", "/opt/ml/output/intermediate"},
                                    {"SM_INPUT_DIR", "/opt/ml/input"},
                                    {"SM_INPUT_CONFIG_DIR", "/opt/ml/input/config"},
                                    {"SM_NUM_CPUS", "2"},
                                    {"SM_NUM_GPUS", "0"},
                                    {"SM_LOG_LEVEL", "20"},
                                    {"SM_USER_ARGS", R"(["--batch-size","256"])"},
                                    {"SM_CURRENT_INSTANCE_TYPE", "ml.p3.2xlarge"},
                                    {"TRAINING_JOB_NAME", "cifar10-tf"},
                                    {"TRAINING_JOB_ARN", "arn:aws:sagemaker:us-west-2:1:training-job/cifar10-tf"},
                                    {"SAGEMAKER_JOB_NAME", "cifar10-tf"},
                                    {"SAGEMAKER_REGION", "us-west-2"},
                                    {"CURRENT_HOST", "algo-1"},
                                    {"AWS_REGION", "us-west-2"},
                                    {"AWS_ENDPOINT_URL", "http://127.0.0.1:4567"},
                                    {"MINE", "1"}};
  EXPECT_THAT(variables, IsSupersetOf(wanted));
  EXPECT_TRUE(variables.at("PYTHONPATH").starts_with("/opt/ml/code:"));
  const auto training = json::parse(variables.at("SM_TRAINING_ENV"));
  EXPECT_EQ(training["is_master"], true);
  EXPECT_EQ(training["channel_input_dirs"]["train"], "/opt/ml/input/data/train");
  EXPECT_EQ(json::parse(variables.at("SM_RESOURCE_CONFIG"))["hosts"], json({"algo-1", "algo-2"}));
}

}  // namespace
}  // namespace headrace::jobs
