#include <set>

#include <fmt/format.h>

#include "api/input.h"
#include "api/sagemaker/hosting/operations.h"
#include "api/sagemaker/hosting/shapes.h"
#include "api/sagemaker/request.h"
#include "jobs/request/instance_types.h"

namespace headrace::api::sagemaker {
namespace {

void CheckVariant(const Json& variant, const std::string& path, Violations& violations) {
  const std::string type = TextOr(variant, "InstanceType");
  if (type.empty()) {
    violations.Add(path + ".instanceType", nullptr, "Member must not be null");
  } else if (!jobs::SizeOfInstance(type)) {
    violations.Add(path + ".instanceType", type,
                   "Member must name an instance type of a known family and size, for example ml.m5.xlarge");
  }
  CheckWeight(variant, "InitialVariantWeight", path + ".initialVariantWeight", violations);
}

void CheckConfig(const Json& request, Violations& violations) {
  RefuseMembers(jobs::EffectsOf(jobs::EndpointConfigMembers(), request), violations);
  std::set<std::string> names;
  const auto variants = request.find("ProductionVariants");
  if (variants != request.end()) {
    for (size_t i = 0; i < variants->size(); ++i) {
      const std::string path = fmt::format("productionVariants.{}.member", i + 1);
      const Json& variant = (*variants)[i];
      CheckVariant(variant, path, violations);
      if (const std::string name = TextOr(variant, "VariantName"); !names.insert(name).second)
        violations.Add(path + ".variantName", name, "Member must be unique among the variants");
    }
  }
  CheckTagKeys(request, violations);
}

}  // namespace

Reply<Json> CreateEndpointConfig(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = CreateEndpointConfigShape();
  Json request = WithoutNulls(input);
  Violations violations;
  if (auto error = Check(kShape, request, violations)) return tl::unexpected(std::move(*error));
  CheckConfig(request, violations);
  if (!violations.empty()) return aws::Refuse("ValidationException", violations.Message());

  for (auto& variant : request["ProductionVariants"]) {
    HEADRACE_REPLY_PASS(const auto model, FindModel(options, call, variant["ModelName"]));
    if (!variant.contains("InitialVariantWeight")) variant["InitialVariantWeight"] = 1.0;
    if (!variant.contains("InitialInstanceCount")) variant["InitialInstanceCount"] = 1;
  }
  const auto tags = TakeTags(request);
  store::HostingResource config;
  config.account_id = call.caller.account_id;
  config.name = request["EndpointConfigName"];
  config.arn = HostingArn(call, "endpoint-config", config.name);
  config.request = RequestText(request);
  config.created = call.now;
  const store::HostingResources configs(options.database, store::HostingResources::Kind::kEndpointConfig);
  bool inserted = false;
  HEADRACE_REPLY_TRY(options.database.Write([&](store::Connection& db) -> Status {
    HEADRACE_ASSIGN(inserted, configs.InsertIn(db, config));
    return inserted ? store::Tags::AddIn(db, config.account_id, config.arn, tags) : Status();
  }));
  if (!inserted) return AlreadyExisting("endpoint configuration", config.arn);
  return Json{{"EndpointConfigArn", config.arn}};
}

}  // namespace headrace::api::sagemaker
