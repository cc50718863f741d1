// Checks that several layers make of their arguments. All throw kInvalidArgument naming the layer.
#pragma once

#include <string>

#include "headrace/keras.h"

namespace headrace::keras::internal {

std::string Lowercase(std::string text);

void CheckPositive(const std::string& layer, const char* argument, int64_t value);
void CheckPositive(const std::string& layer, const char* argument, const Size2D& value);

}  // namespace headrace::keras::internal
