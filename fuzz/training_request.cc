// A stored CreateTrainingJob request, decoded: whatever it is, there is a request with hosts in groups, or an error.
#include "jobs/request/training_request.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace::jobs;
  const auto request = ParseTrainingRequest({reinterpret_cast<const char*>(bytes), size});
  if (!request) {
    if (request.error().message().empty()) std::abort();
    return 0;
  }
  const auto hosts = request->hosts();
  if (hosts.empty() || hosts.size() != static_cast<size_t>(request->resources.instance_count())) std::abort();
  (void)request->resources.GroupOf(hosts.back()).instance_type;
  (void)request->resources.GroupOf({reinterpret_cast<const char*>(bytes), size});
  const auto again = DecodeTrainingRequest(request->document);
  if (!again || again->hosts() != hosts || again->mpi != request->mpi) std::abort();
  return 0;
}
