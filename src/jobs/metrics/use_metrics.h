// Use of a machine as CloudWatch is told it.
#pragma once

#include <vector>

#include "base/clock.h"
#include "jobs/capture/instance_use.h"
#include "store/meta/metrics.h"

namespace headrace::jobs {

// CPUUtilization, MemoryUtilization and, where there is one, DiskUtilization of `where`, a key without a name, behind
// what `data` holds.
void AddUseMetrics(const store::MetricKey& where, UnixMillis time, const InstanceUse& use,
                   std::vector<store::MetricDatum>& data);

}  // namespace headrace::jobs
