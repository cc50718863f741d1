// The paths and names of a CreateTrainingJob request that become paths of a job's host, checked where the request is
// decoded. The supervisor checks them again where it opens them (base/beneath.h).
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include "api/validation/shape.h"

namespace headrace::api::sagemaker {

// Checkpoints, source and entry points, channel names, and what else of the request names a place in a container.
void CheckPaths(const nlohmann::json& request, Violations& violations);

// Texts that become environment variables or arguments of processes: no NUL, which would end them early.
void CheckTexts(const nlohmann::json& request, Violations& violations);

// What is wrong with a path of a container, as a constraint; "" for an absolute path of parts between single slashes,
// one at its end allowed, none of them "." or "..", without control characters.
std::string_view WrongWithContainerPath(std::string_view path);

}  // namespace headrace::api::sagemaker
