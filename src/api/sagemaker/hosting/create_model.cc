#include <fmt/format.h>

#include "api/input.h"
#include "api/sagemaker/hosting/operations.h"
#include "api/sagemaker/hosting/shapes.h"
#include "api/sagemaker/job_buckets.h"
#include "api/sagemaker/request.h"
#include "jobs/hosting/model_files.h"

namespace headrace::api::sagemaker {
namespace {

// "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-inference:1.15-cpu": account and region do not matter.
bool CanStandInFor(const std::string& image) {
  return image.find("tensorflow") != std::string::npos || image.find("headrace") != std::string::npos;
}

void CheckContainer(const Json& container, const std::string& path, Violations& violations) {
  const std::string image = TextOr(container, "Image");
  if (image.empty()) {
    violations.Add(path + ".image", nullptr, "Member must not be null");
  } else if (!CanStandInFor(image)) {
    violations.Add(path + ".image", image,
                   "Member must name a TensorFlow Serving image, for example "
                   "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-inference:1.15-cpu: other containers "
                   "cannot run here");
  }
  const bool url = !TextOr(container, "ModelDataUrl").empty(), source = container.contains("ModelDataSource");
  if (!url && !source) violations.Add(path + ".modelDataUrl", nullptr, "Member must not be null");
  if (url && source)
    violations.Add(path + ".modelDataSource", container["ModelDataSource"],
                   "Member must not be given together with modelDataUrl");
}

void CheckModel(const Json& request, Violations& violations) {
  RefuseMembers(jobs::EffectsOf(jobs::ModelMembers(), request), violations);
  const bool primary = request.contains("PrimaryContainer");
  const size_t containers = request.contains("Containers") ? request["Containers"].size() : 0;
  if (primary) CheckContainer(request["PrimaryContainer"], "primaryContainer", violations);
  if (primary && containers > 0)
    violations.Add("containers", request["Containers"], "Member must not be given together with primaryContainer");
  if (!primary && containers == 0) violations.Add("primaryContainer", nullptr, "Member must not be null");
  if (!primary && containers > 1)
    violations.Add("containers", request["Containers"],
                   "Member must have length less than or equal to 1: pipelines of containers are not offered here");
  if (!primary && containers == 1) CheckContainer(request["Containers"].front(), "containers.1.member", violations);
  CheckTagKeys(request, violations);
}

std::optional<aws::ServiceError> CheckData(const SageMakerOptions& options, const Call& call,
                                           const store::HostingResource& model) {
  if (!options.objects) return std::nullopt;
  const auto hosted = ModelOf(model);
  const auto found = jobs::CheckModelData(ObjectsOf(options, call), hosted);
  if (found) return std::nullopt;
  return aws::ServiceError{"ValidationException",
                           fmt::format("Could not find model data at {}. ({})", hosted.data, found.error().message()),
                           400,
                           {},
                           {}};
}

}  // namespace

Reply<Json> CreateModel(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = CreateModelShape();
  Json request = WithoutNulls(input);
  Violations violations;
  if (auto error = Check(kShape, request, violations)) return tl::unexpected(std::move(*error));
  CheckModel(request, violations);
  if (!violations.empty()) return aws::Refuse("ValidationException", violations.Message());

  const auto tags = TakeTags(request);
  store::HostingResource model;
  model.account_id = call.caller.account_id;
  model.name = request["ModelName"];
  model.arn = HostingArn(call, "model", model.name);
  model.request = RequestText(request);
  model.created = call.now;
  const store::HostingResources models(options.database, store::HostingResources::Kind::kModel);
  HEADRACE_REPLY(const auto taken, models.Find(model.account_id, model.name));
  if (taken) return AlreadyExisting("model", model.arn);
  if (auto error = CheckData(options, call, model)) return tl::unexpected(std::move(*error));
  bool inserted = false;
  HEADRACE_REPLY_TRY(options.database.Write([&](store::Connection& db) -> Status {
    HEADRACE_ASSIGN(inserted, models.InsertIn(db, model));
    return inserted ? store::Tags::AddIn(db, model.account_id, model.arn, tags) : Status();
  }));
  if (!inserted) return AlreadyExisting("model", model.arn);
  return Json{{"ModelArn", model.arn}};
}

}  // namespace headrace::api::sagemaker
