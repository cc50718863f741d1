#include "jobs/metrics/use_metrics.h"

#include <optional>
#include <utility>

namespace headrace::jobs {

void AddUseMetrics(const store::MetricKey& where, UnixMillis time, const InstanceUse& use,
                   std::vector<store::MetricDatum>& data) {
  const std::pair<const char*, std::optional<double>> metrics[] = {
      {"CPUUtilization", use.cpu}, {"MemoryUtilization", use.memory}, {"DiskUtilization", use.disk}};
  for (const auto& [name, percent] : metrics) {
    if (!percent) continue;
    store::MetricKey key = where;
    key.name = name;
    data.push_back({std::move(key), store::MetricSample::Of(time, *percent, "Percent")});
  }
}

}  // namespace headrace::jobs
