// InvocationMetrics: what invocations tell CloudWatch. Requests only count; a batch is written about once a second.
// Requests that are refused before a model is looked for (a bad header, no such endpoint or variant) count nowhere, as
// the service counts what was sent to an endpoint's variant.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "store/meta/metrics.h"

namespace headrace::jobs {

struct InvocationOutcome {
  std::string account, endpoint, variant;
  int instances = 1;
  int model_status = 200;              // 0: no answer, or nobody to ask
  std::optional<double> model_micros;  // absent: no model was asked
  double overhead_micros = 0;
};

class InvocationMetrics {
 public:
  void Record(const InvocationOutcome& outcome);
  // Writes what has been recorded since the last call, at time `now`.
  Status Flush(store::Database& database, UnixMillis now);

 private:
  // How often each value came: latencies rounded to three digits, so that a busy second is few rows and percentiles
  // still hold.
  using Values = std::map<double, double>;
  struct Counts {
    double invocations = 0;
    Values per_instance, model_errors, errors_4xx, errors_5xx, model_latency, overhead_latency;
  };
  struct Key {
    std::string account, endpoint, variant;
    auto operator<=>(const Key&) const = default;
  };
  std::mutex mutex_;
  std::map<Key, Counts> counts_;
};

}  // namespace headrace::jobs
