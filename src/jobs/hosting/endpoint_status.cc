#include "jobs/hosting/endpoint_status.h"

#include <iterator>

#include "jobs/request/enum_texts.h"

namespace headrace::jobs {
namespace {

// In the order of the enumeration.
constexpr std::string_view kEndpointStatuses[] = {"Creating", "InService", "Updating", "Failed", "Deleting"};
static_assert(std::size(kEndpointStatuses) == static_cast<size_t>(EndpointStatus::kDeleting) + 1);

}  // namespace

std::string_view Text(EndpointStatus status) { return kEndpointStatuses[static_cast<size_t>(status)]; }

std::optional<EndpointStatus> EndpointStatusOf(std::string_view text) {
  return ValueOfText<EndpointStatus>(kEndpointStatuses, text);
}

}  // namespace headrace::jobs
