#include "keras/layers/checks.h"

#include <algorithm>

#include "base/result.h"

namespace headrace::keras::internal {

std::string Lowercase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

namespace {
constexpr int64_t kMost = 2147483647;  // more fits no tensor, and products of two still fit their type
}

void CheckPositive(const std::string& layer, const char* argument, int64_t value) {
  if (value < 1)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: {}: found {}, wanted 1 or more", layer, argument, value);
  if (value > kMost)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: {}: found {}, wanted at most {}", layer, argument, value, kMost);
}

void CheckPositive(const std::string& layer, const char* argument, const Size2D& value) {
  if (value[0] < 1 || value[1] < 1)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: {}: found ({}, {}), wanted 1 or more in both", layer, argument,
                    value[0], value[1]);
  CheckPositive(layer, argument, std::max(value[0], value[1]));
}

}  // namespace headrace::keras::internal
