// Models and endpoint configurations: describe and delete.
#include "api/input.h"
#include "api/sagemaker/hosting/operations.h"
#include "api/sagemaker/hosting/shapes.h"
#include "store/meta/tags.h"

namespace headrace::api::sagemaker {
namespace {

using Kind = store::HostingResources::Kind;

Reply<Json> DeleteResource(const SageMakerOptions& options, const store::HostingResource& resource, Kind kind) {
  HEADRACE_REPLY_TRY(options.database.Write(store::WriteKind::kFrees, [&](store::Connection& db) -> Status {
    const store::HostingResources rows(options.database, kind);
    HEADRACE_TRY(rows.DeleteIn(db, resource.account_id, resource.name));
    return store::Tags::RemoveAllIn(db, resource.account_id, resource.arn);
  }));
  return Json::object();
}

}  // namespace

Reply<Json> DescribeModel(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"ModelName", ModelNameShape(), true}});
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto model, FindModel(options, call, input["ModelName"]));
  Json reply = Json::parse(model.request);
  reply["ModelArn"] = model.arn;
  reply["CreationTime"] = Seconds(model.created);
  if (!reply.contains("EnableNetworkIsolation")) reply["EnableNetworkIsolation"] = false;
  const auto name_mode = [](Json& container) { container.emplace("Mode", "SingleModel"); };
  if (reply.contains("PrimaryContainer")) name_mode(reply["PrimaryContainer"]);
  if (reply.contains("Containers"))
    for (Json& container : reply["Containers"]) name_mode(container);
  return reply;
}

Reply<Json> DeleteModel(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"ModelName", ModelNameShape(), true}});
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto model, FindModel(options, call, input["ModelName"]));
  return DeleteResource(options, model, Kind::kModel);
}

Reply<Json> DescribeEndpointConfig(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"EndpointConfigName", EndpointNameShape(), true}});
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto config, FindEndpointConfig(options, call, input["EndpointConfigName"]));
  Json reply = Json::parse(config.request);
  reply["EndpointConfigArn"] = config.arn;
  reply["CreationTime"] = Seconds(config.created);
  return reply;
}

// Endpoints made from it go on: they have all they need.
Reply<Json> DeleteEndpointConfig(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"EndpointConfigName", EndpointNameShape(), true}});
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto config, FindEndpointConfig(options, call, input["EndpointConfigName"]));
  return DeleteResource(options, config, Kind::kEndpointConfig);
}

}  // namespace headrace::api::sagemaker
