// What a training job's request must satisfy beyond the shape of each member.
#pragma once

#include "api/validation/shape.h"

namespace headrace::api::sagemaker {

// Adds violations that concern several members, metric definitions among them. The request has the right JSON types.
void CheckAcrossMembers(const nlohmann::json& request, Violations& violations);

}  // namespace headrace::api::sagemaker
