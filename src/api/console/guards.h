// What the console asks of a request before it looks at its session.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace headrace::api::console {

inline constexpr std::string_view kCookie = "headrace-session";
// Pages set it on all that they ask; other sites' forms and links cannot.
inline constexpr std::string_view kPageHeader = "X-Headrace-Console";

// The session's identifier in the request's cookies; "" without one.
std::string_view SessionCookie(const http::Request& request);
// The Set-Cookie of a session; an empty `id` removes it.
std::string MakeSessionCookie(std::string_view id, bool secure);

// A refusal when a page of another site may have made the request: no page header, or an Origin that is not this
// address, or none with a request that changes something.
std::optional<http::Response> RefuseForeignPage(const http::Request& request);
// A refusal when keys and cookies would cross a network as plain text.
std::optional<http::Response> RefusePlainNetwork(const http::Request& request);

// {"__type": code, "message": message}, as the JSON services answer.
http::Response ErrorResponse(int status, std::string_view code, std::string_view message);

}  // namespace headrace::api::console
