// What the operations of models, endpoint configurations and endpoints take, as the service's model states it.
#pragma once

#include "api/validation/shape.h"

namespace headrace::api::sagemaker {

Shape ModelNameShape();
Shape EndpointNameShape();  // of an endpoint, a configuration, a variant
Shape CreateModelShape();
Shape CreateEndpointConfigShape();
Shape CreateEndpointShape();
Shape UpdateEndpointShape();
Shape UpdateWeightsShape();

// Adds a violation for each of `members` that is there and says something: not null, false, empty.
void RefuseMembers(const nlohmann::json& object, const std::string& path,
                   std::initializer_list<std::pair<const char*, const char*>> members, Violations& violations);

// True when the member is there and a weight; a violation when it is there and none.
bool CheckWeight(const nlohmann::json& object, const char* member, const std::string& path, Violations& violations);

}  // namespace headrace::api::sagemaker
