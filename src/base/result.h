// Result<T>: a value or an Error. Modules return it for I/O, parsing and state; the public API throws the Error.
#pragma once

#include <utility>

#include <fmt/core.h>
#include <tl/expected.hpp>

#include "headrace/error.h"

namespace headrace {

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

// return Fail(ErrorCode::kNotFound, "{}: no such file", path);
template <typename... Args>
tl::unexpected<Error> Fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error(code, fmt::format(format, std::forward<Args>(args)...)));
}

// throw MakeError(ErrorCode::kInvalidArgument, "rate: found {}, wanted 0 <= rate < 1", rate);
template <typename... Args>
Error MakeError(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return Error(code, fmt::format(format, std::forward<Args>(args)...));
}

// The edge between Result inside and exceptions outside.
template <typename T>
T ValueOrThrow(Result<T> result) {
  if (!result) throw std::move(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace headrace

#define HEADRACE_CONCAT_(a, b) a##b
#define HEADRACE_CONCAT(a, b) HEADRACE_CONCAT_(a, b)
// Evaluates a Status; on failure returns its error from the calling function.
#define HEADRACE_TRY(expression)                                                    \
  do {                                                                              \
    if (auto headrace_status = (expression); !headrace_status)                      \
      return tl::unexpected<::headrace::Error>(std::move(headrace_status.error())); \
  } while (false)
// HEADRACE_ASSIGN(auto value, Function()): binds the value or returns the error.
#define HEADRACE_ASSIGN(declaration, expression) \
  HEADRACE_ASSIGN_(HEADRACE_CONCAT(headrace_result_, __LINE__), declaration, expression)
#define HEADRACE_ASSIGN_(result, declaration, expression)                           \
  auto result = (expression);                                                       \
  if (!result) return tl::unexpected<::headrace::Error>(std::move(result.error())); \
  declaration = std::move(*result)
