#include "sagemaker/transport/http.h"

#include <algorithm>

#include <strings.h>

namespace headrace::sagemaker {

std::string HttpReply::Header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const HttpHeader& header) {
    return header.name.size() == name.size() && strncasecmp(header.name.data(), name.data(), name.size()) == 0;
  });
  return found == headers.end() ? "" : found->value;
}

ServiceError LocalError(ErrorCode code, std::string service_code, std::string message, bool retryable) {
  ServiceError error(code, std::move(message));
  error.service_code = std::move(service_code);
  error.retryable = retryable;
  return error;
}

}  // namespace headrace::sagemaker
