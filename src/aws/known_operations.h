// Operations that the real services have and this server has not: they are refused by name, never half done.
#pragma once

#include <string>
#include <string_view>

#include "aws/error.h"

namespace headrace::aws {

// Whether the service of that signing name or X-Amz-Target prefix has an operation of that name.
bool IsKnownOperation(std::string_view service, std::string_view operation);

// UnknownOperationException, or Query's InvalidAction; says "not implemented" of what the real service has. `ours`:
// whether the service is one of this server's.
ServiceError UnknownOperation(bool ours, std::string_view service, std::string_view operation, std::string_view version,
                              bool query);

}  // namespace headrace::aws
