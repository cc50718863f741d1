// S3's own refusals, word for word where clients look at them.
#pragma once

#include <string>
#include <string_view>

#include "aws/error.h"
#include "base/result.h"

namespace headrace::api::s3 {

using aws::Reply;
using aws::ServiceError;

using Refusal = tl::unexpected<ServiceError>;

Refusal AccessDenied();
Refusal NoSuchBucket(const std::string& bucket);
Refusal NoSuchKey(const std::string& key);
Refusal NoSuchUpload(const std::string& id);
Refusal NoSuchVersion(const std::string& key, const std::string& version);
// A sub-resource, header or field of S3 that we do not have; `what` names it.
Refusal NotImplemented(std::string_view what);
Refusal InvalidArgument(std::string_view name, std::string_view value, std::string_view message);
Refusal InvalidRequest(std::string message);
Refusal MalformedXml();
Refusal PreconditionFailed(std::string_view condition);
// A write that another one made senseless.
Refusal ConditionalConflict(std::string_view condition, const std::string& key);
// What the store could not do for reasons that are none of the client's.
Refusal StoreFailure(const Error& error);

}  // namespace headrace::api::s3

// As HEADRACE_TRY and HEADRACE_ASSIGN, for Reply.
#define S3_TRY(expression)                                                               \
  do {                                                                                   \
    if (auto s3_reply = (expression); !s3_reply)                                         \
      return tl::unexpected<::headrace::aws::ServiceError>(std::move(s3_reply.error())); \
  } while (false)
#define S3_ASSIGN(declaration, expression) S3_ASSIGN_(HEADRACE_CONCAT(s3_reply_, __LINE__), declaration, expression)
#define S3_ASSIGN_(reply, declaration, expression)                                            \
  auto reply = (expression);                                                                  \
  if (!reply) return tl::unexpected<::headrace::aws::ServiceError>(std::move(reply.error())); \
  declaration = std::move(*reply)
// The same for the store's Result, whose failure becomes StoreFailure.
#define S3_STORE(declaration, expression) S3_STORE_(HEADRACE_CONCAT(s3_result_, __LINE__), declaration, expression)
#define S3_STORE_(result, declaration, expression)                       \
  auto result = (expression);                                            \
  if (!result) return ::headrace::api::s3::StoreFailure(result.error()); \
  declaration = std::move(*result)
