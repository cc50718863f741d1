#include "store/meta/tags.h"

#include <fmt/format.h>

#include "api/input.h"
#include "api/sagemaker/operations.h"
#include "api/sagemaker/training_job_shape.h"
#include "aws/page_token.h"

namespace headrace::api::sagemaker {
namespace {

Shape ArnShape() { return Shape::Text(0, 256, "arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:.+"); }

// The ARN of a training job of the caller's; nothing else has tags here.
Reply<std::string> TaggedArn(const SageMakerOptions& options, const Call& call, const Json& input) {
  const std::string arn = input["ResourceArn"];
  constexpr std::string_view kKind = ":training-job/";
  const size_t kind = arn.find(kKind);
  if (kind != std::string::npos) {
    HEADRACE_REPLY_PASS(const auto job, FindTrainingJob(options, call, arn.substr(kind + kKind.size())));
    if (job.arn == arn) return job.arn;
  }
  return aws::Refuse("ValidationException", "Requested resource not found.");
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
    if (status.error().code() != ErrorCode::kResourceExhausted) return tl::unexpected(ServerFault(status.error()));
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
