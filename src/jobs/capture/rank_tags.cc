#include "jobs/capture/rank_tags.h"

#include <fmt/format.h>

namespace headrace::jobs {

std::string RankTags::Of(int rank, const char* stream) const {
  const auto host = processes_per_host_ > 0 ? static_cast<size_t>(rank / processes_per_host_) : hosts_.size();
  if (host >= hosts_.size()) return fmt::format("[1,{}]<{}>:", rank, stream);
  return fmt::format("[1,mpirank:{},{}]<{}>:", rank, hosts_[host], stream);
}

}  // namespace headrace::jobs
