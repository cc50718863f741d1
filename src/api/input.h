// Reading an operation's input and writing points in time, for all services.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "aws/error.h"
#include "base/clock.h"
#include "base/result.h"

namespace headrace::api {

// The member, or `otherwise` when it is absent or null. The input has been validated: its type is right.
std::string TextOr(const nlohmann::json& input, std::string_view member, std::string_view otherwise = {});
int64_t IntegerOr(const nlohmann::json& input, std::string_view member, int64_t otherwise);
bool BooleanOr(const nlohmann::json& input, std::string_view member, bool otherwise);

// Epoch seconds (a number, or text of one) or ISO 8601 text; nullopt for anything else.
std::optional<UnixMillis> ReadTime(const nlohmann::json& value);
std::optional<UnixMillis> TimeIn(const nlohmann::json& input, std::string_view member);

// Epoch seconds with milliseconds, as JSON services write times.
double Seconds(UnixMillis time);

// For what went wrong on our side: InternalFailure 500, or ServiceUnavailable 503 when the disk is full.
aws::ServiceError ServerFault(const Error& error);

}  // namespace headrace::api

// HEADRACE_REPLY(auto value, Function()): binds the value of a Result, or answers the call with ServerFault.
#define HEADRACE_REPLY(declaration, expression) \
  HEADRACE_REPLY_(HEADRACE_CONCAT(headrace_reply_, __LINE__), declaration, expression)
#define HEADRACE_REPLY_(result, declaration, expression)                                   \
  auto result = (expression);                                                              \
  if (!result) return tl::unexpected<aws::ServiceError>(api::ServerFault(result.error())); \
  declaration = std::move(*result)
// The same for a Status.
#define HEADRACE_REPLY_TRY(expression)                                                     \
  do {                                                                                     \
    if (auto headrace_status = (expression); !headrace_status)                             \
      return tl::unexpected<aws::ServiceError>(api::ServerFault(headrace_status.error())); \
  } while (false)
// HEADRACE_REPLY_PASS(auto value, Function()): binds the value of an aws::Reply, or answers with its error.
#define HEADRACE_REPLY_PASS(declaration, expression) \
  HEADRACE_REPLY_PASS_(HEADRACE_CONCAT(headrace_reply_, __LINE__), declaration, expression)
#define HEADRACE_REPLY_PASS_(result, declaration, expression)                       \
  auto result = (expression);                                                       \
  if (!result) return tl::unexpected<aws::ServiceError>(std::move(result.error())); \
  declaration = std::move(*result)
