// The statuses of an endpoint, as SageMaker has them. Rows and answers hold their text; whoever decides by one compares
// these.
#pragma once

#include <optional>
#include <string_view>

namespace headrace::jobs {

enum class EndpointStatus { kCreating, kInService, kUpdating, kFailed, kDeleting };

std::string_view Text(EndpointStatus status);
std::optional<EndpointStatus> EndpointStatusOf(std::string_view text);

}  // namespace headrace::jobs
