#include "api/sagemaker/request.h"

#include <set>

#include <fmt/format.h>

#include "api/input.h"

namespace headrace::api::sagemaker {

Json WithoutNulls(Json request) {
  if (request.is_object()) {
    for (auto item = request.begin(); item != request.end();) {
      item = item->is_null() ? request.erase(item) : std::next(item);
    }
  }
  if (request.is_structured()) {
    for (auto& item : request) item = WithoutNulls(std::move(item));
  }
  return request;
}

store::TagList TakeTags(Json& request) {
  store::TagList tags;
  if (const auto found = request.find("Tags"); found != request.end() && found->is_array()) {
    for (const auto& tag : *found) tags.emplace_back(TextOr(tag, "Key"), TextOr(tag, "Value"));
  }
  request.erase("Tags");
  return tags;
}

std::string RequestText(const Json& request) { return request.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::optional<aws::ServiceError> CheckMayRun(const SageMakerOptions& options, const Call& call) {
  const Status allowed = options.may_run ? options.may_run(call.caller.account_id) : Status();
  if (allowed) return std::nullopt;
  if (allowed.error().code() != ErrorCode::kFailedPrecondition) return ServerFault(allowed.error());
  return aws::Refuse("ValidationException", allowed.error().message()).value();
}

void RefuseMembers(const jobs::RequestEffects& effects, Violations& violations) {
  for (const auto& refused : effects.refused)
    violations.Add(refused.path, refused.value, fmt::format("Member is not supported: {}", refused.remedy));
}

void CheckTagKeys(const Json& request, Violations& violations) {
  const auto tags = request.find("Tags");
  if (tags == request.end() || !tags->is_array()) return;
  std::set<std::string> keys;
  for (size_t i = 0; i < tags->size(); ++i) {
    const std::string key = TextOr((*tags)[i], "Key");
    if (!keys.insert(key).second)
      violations.Add(fmt::format("tags.{}.member.key", i + 1), key, "Member must be unique among the tags");
  }
}

}  // namespace headrace::api::sagemaker
