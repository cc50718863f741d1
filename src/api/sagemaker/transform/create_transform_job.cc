#include <fmt/format.h>

#include "api/input.h"
#include "api/sagemaker/hosting/operations.h"
#include "api/sagemaker/job_buckets.h"
#include "api/sagemaker/request.h"
#include "api/sagemaker/transform/operations.h"

namespace headrace::api::sagemaker {
namespace {

constexpr int64_t kMostTransformInstances = 20;  // of all transform jobs of an account that run

void SetTransformDefault(Json& object, const char* name, Json value) {
  if (!object.contains(name)) object[name] = std::move(value);
}

// The request as DescribeTransformJob echoes it: with the service's defaults.
Json WithTransformDefaults(Json request) {
  SetTransformDefault(request["TransformInput"], "CompressionType", "None");
  SetTransformDefault(request["TransformInput"], "SplitType", "None");
  SetTransformDefault(request["TransformOutput"], "AssembleWith", "None");
  SetTransformDefault(request["TransformOutput"], "KmsKeyId", "");
  SetTransformDefault(request, "DataProcessing", Json::object());
  SetTransformDefault(request["DataProcessing"], "InputFilter", "$");
  SetTransformDefault(request["DataProcessing"], "OutputFilter", "$");
  SetTransformDefault(request["DataProcessing"], "JoinSource", "None");
  return request;
}

// The model on the instances asked for, as an endpoint of one variant that has the job's name.
jobs::Deployment DeploymentFor(const Json& request, const store::HostingResource& model) {
  jobs::Variant variant;
  variant.name = request["TransformJobName"];
  variant.instance_type = request["TransformResources"]["InstanceType"];
  variant.count = static_cast<int>(IntegerOr(request["TransformResources"], "InstanceCount", 1));
  variant.model = ModelOf(model);
  if (const auto environment = request.find("Environment"); environment != request.end())
    for (const auto& [name, value] : environment->items()) variant.model.environment[name] = value;
  jobs::Deployment deployment;
  deployment.variants.push_back(std::move(variant));
  return deployment;
}

int64_t InstancesOf(const Json& request) { return IntegerOr(request["TransformResources"], "InstanceCount", 1); }

// Inserts the job as long as the account's jobs have instances left; else says how many they have.
Result<bool> InsertWithinLimit(store::Connection& db, store::TransformJob& job, int64_t wanted, int64_t& used) {
  store::ResourceFilter running;
  running.account_id = job.account_id;
  running.statuses = {"InProgress", "Stopping"};
  HEADRACE_ASSIGN(const auto others, store::TransformJobs::ListIn(db, running));
  used = 0;
  for (const auto& other : others) used += InstancesOf(Json::parse(other.request));
  if (used + wanted > kMostTransformInstances) return false;
  used = -1;
  return store::TransformJobs::InsertIn(db, job);
}

tl::unexpected<aws::ServiceError> TransformJobInUse(const store::TransformJob& job) {
  return aws::Refuse("ResourceInUse", fmt::format("Job name must be unique within an AWS account and region, and a job "
                                                  "with this name already exists ({})",
                                                  job.arn));
}

}  // namespace

Reply<Json> CreateTransformJob(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = CreateTransformJobShape();
  Json cleaned = WithoutNulls(input);
  Violations violations;
  if (auto error = Check(kShape, cleaned, violations)) return tl::unexpected(std::move(*error));
  CheckTransformJob(cleaned, violations);
  if (!violations.empty()) return aws::Refuse("ValidationException", violations.Message());
  if (auto refused = CheckMayRun(options, call)) return tl::unexpected(std::move(*refused));

  const auto tags = TakeTags(cleaned);
  const Json request = WithTransformDefaults(std::move(cleaned));
  store::TransformJob job;
  job.account_id = call.caller.account_id;
  job.name = request["TransformJobName"];
  job.arn = HostingArn(call, "transform-job", job.name);
  job.request = RequestText(request);
  job.created = job.modified = call.now;
  HEADRACE_REPLY(const auto taken, store::TransformJobs(options.database).Find(job.account_id, job.name));
  if (taken) return TransformJobInUse(*taken);
  HEADRACE_REPLY_PASS(const auto model, FindModel(options, call, request["ModelName"]));
  job.deployment = jobs::ToJson(DeploymentFor(request, model));
  if (options.objects) {
    const std::string role = TextOr(Json::parse(model.request), "ExecutionRoleArn");
    const std::string uri = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"];
    const auto objects = ObjectsOf(options, call);
    if (auto error = CheckInput(objects, call, role, uri)) return tl::unexpected(std::move(*error));
    const std::string output = request["TransformOutput"]["S3OutputPath"];
    if (auto error = CheckOutput(objects, "TransformOutput.S3OutputPath", output))
      return tl::unexpected(std::move(*error));
  }

  bool inserted = false;
  int64_t used = -1;
  HEADRACE_REPLY_TRY(options.database.Write([&](store::Connection& db) -> Status {
    HEADRACE_ASSIGN(inserted, InsertWithinLimit(db, job, InstancesOf(request), used));
    return inserted ? store::Tags::AddIn(db, job.account_id, job.arn, tags) : Status();
  }));
  if (!inserted && used >= 0) {
    return aws::Refuse(
        "ResourceLimitExceeded",
        fmt::format("The account-level service limit '{} for transform job usage' is {} Instances, with current "
                    "utilization of {} Instances and a request delta of {} Instances.",
                    TextOr(request["TransformResources"], "InstanceType"), kMostTransformInstances, used,
                    InstancesOf(request)));
  }
  if (!inserted) return TransformJobInUse(job);
  if (options.wake_transform) options.wake_transform(job.account_id, job.name);
  return Json{{"TransformJobArn", job.arn}};
}

}  // namespace headrace::api::sagemaker
