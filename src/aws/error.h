// ServiceError: what an AWS client sees when a call fails. Each protocol's codec puts it on the wire in its own form.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace headrace::aws {

struct ServiceError {
  std::string code;     // "ValidationException", "NoSuchKey"; the service's own word
  std::string message;  // names the field, the value and what is wanted
  int status = 400;     // HTTP
  // Further elements of the error body, for example S3's {"Resource", "/b/k"} or ModelError's OriginalStatusCode.
  std::vector<std::pair<std::string, std::string>> details;
  // CloudWatch over JSON: the legacy code of x-amzn-query-error; empty: `code`.
  std::string query_code;
};

template <typename T>
using Reply = tl::expected<T, ServiceError>;

inline tl::unexpected<ServiceError> Refuse(std::string code, std::string message, int status = 400) {
  return tl::unexpected<ServiceError>(ServiceError{std::move(code), std::move(message), status, {}, {}});
}

}  // namespace headrace::aws
