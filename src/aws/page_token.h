// NextToken values: where a listing goes on, opaque to clients.
#pragma once

#include <string>
#include <string_view>

#include "aws/error.h"

namespace headrace::aws {

// `position` may hold any bytes; `listing` names the operation, so that a token of one is refused by another.
std::string MakePageToken(std::string_view listing, std::string_view position);

// The position, or a refusal with the service's own `code` ("ValidationException", "InvalidNextToken"…).
Reply<std::string> ReadPageToken(std::string_view listing, std::string_view token,
                                 std::string_view code = "ValidationException");

}  // namespace headrace::aws
