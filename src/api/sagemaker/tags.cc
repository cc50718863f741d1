#include "store/meta/tags.h"

#include <optional>

#include "api/input.h"
#include "api/sagemaker/hosting/operations.h"
#include "api/sagemaker/operations.h"
#include "api/sagemaker/training_job_shape.h"
#include "store/meta/transform_jobs.h"

namespace headrace::api::sagemaker {
namespace {

Shape ArnShape() { return Shape::Text(0, 256, "arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:.+"); }

// The name behind ":KIND/", when the ARN is of that kind.
std::optional<std::string> NameIn(const std::string& arn, const std::string& kind) {
  const std::string mark = ":" + kind + "/";
  const size_t at = arn.find(mark);
  if (at == std::string::npos) return std::nullopt;
  return arn.substr(at + mark.size());
}

// The ARN of something of the caller's.
Reply<std::string> TaggedArn(const SageMakerOptions& options, const Call& call, const Json& input) {
  const std::string arn = input["ResourceArn"];
  bool found = false;
  store::ResourceFilter that;  // by the ARN: others than training jobs have the name in it in lower case
  that.account_id = call.caller.account_id;
  that.arn = arn;
  if (const auto job = NameIn(arn, "training-job")) {
    HEADRACE_REPLY_PASS(const auto row, FindTrainingJob(options, call, *job));
    found = row.arn == arn;
  } else if (NameIn(arn, "model")) {
    HEADRACE_REPLY(const auto rows,
                   store::HostingResources(options.database, store::HostingResources::Kind::kModel).List(that));
    found = !rows.empty();
  } else if (NameIn(arn, "endpoint-config")) {
    HEADRACE_REPLY(
        const auto rows,
        store::HostingResources(options.database, store::HostingResources::Kind::kEndpointConfig).List(that));
    found = !rows.empty();
  } else if (NameIn(arn, "endpoint")) {
    HEADRACE_REPLY(const auto rows, store::Endpoints(options.database).List(that));
    found = !rows.empty();
  } else if (NameIn(arn, "transform-job")) {
    HEADRACE_REPLY(const auto rows, store::TransformJobs(options.database).List(that));
    found = !rows.empty();
  }
  if (!found) return aws::Refuse("ValidationException", "Requested resource not found.");
  return arn;
}

Json ToJson(const store::TagList& tags) {
  Json list = Json::array();
  for (const auto& [key, value] : tags) list.push_back({{"Key", key}, {"Value", value}});
  return list;
}

}  // namespace

Reply<Json> AddTags(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"ResourceArn", ArnShape(), true}, {"Tags", TagListShape(), true}});
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto arn, TaggedArn(options, call, input));
  store::TagList added;
  for (const auto& tag : input["Tags"]) added.emplace_back(TextOr(tag, "Key"), TextOr(tag, "Value"));
  store::Tags tags(options.database);
  if (const auto status = tags.Add(call.caller.account_id, arn, added); !status) {
    if (status.error().code() != ErrorCode::kInvalidArgument) return tl::unexpected(ServerFault(status.error()));
    return aws::Refuse("ResourceLimitExceeded", status.error().message());
  }
  HEADRACE_REPLY(const auto all, tags.List(call.caller.account_id, arn));
  return Json{{"Tags", ToJson(all)}};
}

// All on one page: a resource has at most fifty, the least that MaxResults may ask for.
Reply<Json> ListTags(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure(
      {{"ResourceArn", ArnShape(), true}, {"NextToken", Shape::Text(0, 8192)}, {"MaxResults", Shape::Integer(50)}});
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto arn, TaggedArn(options, call, input));
  HEADRACE_REPLY(const auto all, store::Tags(options.database).List(call.caller.account_id, arn));
  return Json{{"Tags", ToJson(all)}};
}

Reply<Json> DeleteTags(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape =
      Shape::Structure({{"ResourceArn", ArnShape(), true}, {"TagKeys", Shape::List(Shape::Text(1, 128), 1, 50), true}});
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto arn, TaggedArn(options, call, input));
  HEADRACE_REPLY_TRY(store::Tags(options.database)
                         .Remove(call.caller.account_id, arn, input["TagKeys"].get<std::vector<std::string>>()));
  return Json::object();
}

}  // namespace headrace::api::sagemaker
