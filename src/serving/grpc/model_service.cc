#include "serving/grpc/model_service.h"

#include "base/log.h"

namespace headrace::serving {
namespace {

namespace tfs = ::tensorflow::serving;

Result<ModelConfig> FromProto(const tfs::ModelConfig& proto) {
  ModelConfig config;
  config.name = proto.name();
  config.base_path = proto.base_path();
  HEADRACE_TRY(CheckModelConfig(config, proto.model_platform(), "ReloadConfigRequest"));
  const auto& policy = proto.model_version_policy();
  if (policy.has_latest()) {
    config.policy.latest = std::max<int64_t>(policy.latest().num_versions(), 1);
  } else if (policy.has_all()) {
    config.policy.kind = VersionPolicy::Kind::kAll;
  } else if (policy.has_specific()) {
    config.policy.kind = VersionPolicy::Kind::kSpecific;
    config.policy.specific.assign(policy.specific().versions().begin(), policy.specific().versions().end());
    if (config.policy.specific.empty())
      return Fail(ErrorCode::kInvalidArgument, "model '{}': specific names no versions", config.name);
  }
  config.labels = {proto.version_labels().begin(), proto.version_labels().end()};
  return config;
}

Result<std::vector<ModelConfig>> ConfigsOf(const tfs::ReloadConfigRequest& request) {
  if (!request.config().has_model_config_list())
    return Fail(ErrorCode::kInvalidArgument,
                "ServerRequest does not contain a ModelServerConfig: wanted a "
                "model_config_list");
  std::vector<ModelConfig> configs;
  for (const tfs::ModelConfig& proto : request.config().model_config_list().config()) {
    HEADRACE_ASSIGN(ModelConfig config, FromProto(proto));
    for (const ModelConfig& other : configs)
      if (other.name == config.name) return Fail(ErrorCode::kInvalidArgument, "two models are named '{}'", config.name);
    configs.push_back(std::move(config));
  }
  return configs;
}

}  // namespace

grpc::Status ModelService::GetModelStatus(grpc::ServerContext*, const tfs::GetModelStatusRequest* request,
                                          tfs::GetModelStatusResponse* response) {
  const tfs::ModelSpec& spec = request->model_spec();
  if (spec.name().empty())
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "Missing ModelSpec: it has no model name");
  const auto statuses = context_.models.Status(spec.name(), ChoiceOf(spec));
  if (!statuses) return ToGrpc(statuses.error());
  for (const VersionStatus& status : *statuses) {
    tfs::ModelVersionStatus& proto = *response->add_model_version_status();
    proto.set_version(status.version);
    proto.set_state(static_cast<tfs::ModelVersionStatus::State>(status.state));
    proto.mutable_status()->set_error_code(status.error.empty() ? 0 : grpc::StatusCode::UNKNOWN);
    proto.mutable_status()->set_error_message(status.error);
  }
  return {};
}

// As TensorFlow Serving's: the call succeeds, and its answer says whether the reload did.
grpc::Status ModelService::HandleReloadConfigRequest(grpc::ServerContext*, const tfs::ReloadConfigRequest* request,
                                                     tfs::ReloadConfigResponse* response) {
  auto configs = ConfigsOf(*request);
  Status reloaded = configs ? context_.reload(std::move(*configs)) : tl::unexpected<Error>(configs.error());
  if (reloaded) {
    Log(LogLevel::kInfo, "configuration reloaded");
    response->mutable_status();
    return {};
  }
  Log(LogLevel::kError, "ReloadConfigRequest failed: {}", reloaded.error().message());
  response->mutable_status()->set_error_code(CodeOf(reloaded.error().code()));
  response->mutable_status()->set_error_message(reloaded.error().message());
  return {};
}

}  // namespace headrace::serving
