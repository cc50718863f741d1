#include "api/sagemaker/sagemaker_service.h"

#include <memory>

#include "api/input.h"
#include "api/sagemaker/hosting/operations.h"
#include "api/sagemaker/operations.h"
#include "api/sagemaker/transform/operations.h"
#include "store/meta/training_jobs.h"

namespace headrace::api {

aws::Service SageMakerService(SageMakerOptions options) {
  using namespace sagemaker;
  aws::Service service;
  service.signing_name = "sagemaker";
  service.target_prefix = "SageMaker";
  service.json_version = "1.1";
  const auto shared = std::make_shared<const SageMakerOptions>(std::move(options));
  const auto add = [&](const char* name, Reply<Json> (*operation)(const SageMakerOptions&, const Call&, const Json&)) {
    service.operations[name] = [shared, operation](const Call& call, const Json& input) {
      return operation(*shared, call, input);
    };
  };
  add("CreateTrainingJob", CreateTrainingJob);
  add("DescribeTrainingJob", DescribeTrainingJob);
  add("ListTrainingJobs", ListTrainingJobs);
  add("StopTrainingJob", StopTrainingJob);
  add("UpdateTrainingJob", UpdateTrainingJob);
  add("DeleteTrainingJob", DeleteTrainingJob);
  add("AddTags", AddTags);
  add("ListTags", ListTags);
  add("DeleteTags", DeleteTags);
  add("DescribeNotebookInstance", DescribeNotebookInstance);
  add("CreateModel", CreateModel);
  add("DescribeModel", DescribeModel);
  add("ListModels", ListModels);
  add("DeleteModel", DeleteModel);
  add("CreateEndpointConfig", CreateEndpointConfig);
  add("DescribeEndpointConfig", DescribeEndpointConfig);
  add("ListEndpointConfigs", ListEndpointConfigs);
  add("DeleteEndpointConfig", DeleteEndpointConfig);
  add("CreateEndpoint", CreateEndpoint);
  add("DescribeEndpoint", DescribeEndpoint);
  add("ListEndpoints", ListEndpoints);
  add("UpdateEndpoint", UpdateEndpoint);
  add("UpdateEndpointWeightsAndCapacities", UpdateEndpointWeightsAndCapacities);
  add("DeleteEndpoint", DeleteEndpoint);
  add("CreateTransformJob", CreateTransformJob);
  add("DescribeTransformJob", DescribeTransformJob);
  add("ListTransformJobs", ListTransformJobs);
  add("StopTransformJob", StopTransformJob);
  service.timestamps = {"CreationTime",     "LastModifiedTime",  "TrainingStartTime", "TrainingEndTime",
                        "StartTime",        "EndTime",           "Timestamp",         "ResolutionTime",
                        "TransformEndTime", "TransformStartTime"};
  return service;
}

namespace sagemaker {

Reply<store::TrainingJob> FindTrainingJob(const SageMakerOptions& options, const Call& call, const std::string& name) {
  HEADRACE_REPLY(auto job, store::TrainingJobs(options.database).Find(call.caller.account_id, name));
  if (!job) return aws::Refuse("ValidationException", "Requested resource not found.");
  return std::move(*job);
}

std::string ModelArtifactsUri(const Json& request) {
  const Json& output = request.at("OutputDataConfig");
  std::string path = TextOr(output, "S3OutputPath");
  while (path.ends_with('/')) path.pop_back();
  const bool archived = TextOr(output, "CompressionType", "GZIP") == "GZIP";
  return path + "/" + TextOr(request, "TrainingJobName") + "/output/" + (archived ? "model.tar.gz" : "model/");
}

}  // namespace sagemaker
}  // namespace headrace::api
