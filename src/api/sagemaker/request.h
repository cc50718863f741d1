// What the creating operations do with a request before they keep it.
#pragma once

#include <optional>
#include <string>

#include "api/sagemaker/operations.h"
#include "api/validation/shape.h"
#include "jobs/request/member_effects.h"
#include "store/meta/tags.h"

namespace headrace::api::sagemaker {

// Clients send members as null: without them, everybody behind may take presence for a value.
Json WithoutNulls(Json request);
// The request's tags, which are kept apart from it.
store::TagList TakeTags(Json& request);
// As it is stored: broken UTF-8 must not make it unreadable.
std::string RequestText(const Json& request);
// The refusal for an account whose code may not run on this server.
std::optional<aws::ServiceError> CheckMayRun(const SageMakerOptions& options, const Call& call);
// What a request asks for and is not here: a violation each, with the remedy.
void RefuseMembers(const jobs::RequestEffects& effects, Violations& violations);
// Two tags of one key are a violation.
void CheckTagKeys(const Json& request, Violations& violations);

}  // namespace headrace::api::sagemaker
