#include "aws/known_operations.h"

#include <fmt/format.h>

#include "aws/not_here.h"

namespace headrace::aws {

ServiceError UnknownOperation(bool ours, std::string_view service, std::string_view operation, std::string_view version,
                              bool query) {
  const std::string_view name = operation.substr(0, 128);
  std::string message;
  if (!ours) {
    message = NotHereText(service, operation);
  } else if (name.empty()) {
    message = "The request names no operation.";
  } else if (IsKnownOperation(service, name)) {
    message = fmt::format("The operation {} of {} is not implemented by Headrace.", name, service);
  } else if (query) {
    message = fmt::format("Could not find operation {} for version {}", name, version.substr(0, 32));
  } else {
    message = fmt::format("Unknown operation {} of service {}.", name, service.substr(0, 128));
  }
  return {query ? "InvalidAction" : "UnknownOperationException", std::move(message), 400, {}, {}};
}

}  // namespace headrace::aws
