#include "jobs/hosting/invocation_metrics.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace headrace::jobs {
namespace {

double ThreeDigits(double value) {
  if (!(value >= 1)) return 0;
  const double unit = std::pow(10, std::max(std::floor(std::log10(value)) - 2, 0.0));
  return std::round(value / unit) * unit;
}

}  // namespace

void InvocationMetrics::Record(const InvocationOutcome& outcome) {
  const int status = outcome.model_status;
  const bool client = status >= 400 && status < 500, server = status >= 500 || status == 0;
  const bool failed = status < 200 || status >= 300;
  const double overhead = ThreeDigits(outcome.overhead_micros);
  const std::lock_guard lock(mutex_);
  Counts& counts = counts_[{outcome.account, outcome.endpoint, outcome.variant}];
  ++counts.invocations;
  ++counts.per_instance[1.0 / outcome.instances];
  ++counts.model_errors[failed ? 1 : 0];
  ++counts.errors_4xx[client ? 1 : 0];
  ++counts.errors_5xx[server ? 1 : 0];
  if (outcome.model_micros) ++counts.model_latency[ThreeDigits(*outcome.model_micros)];
  ++counts.overhead_latency[overhead];
}

Status InvocationMetrics::Flush(store::Database& database, UnixMillis now) {
  std::map<Key, Counts> counts;
  {
    const std::lock_guard lock(mutex_);
    counts.swap(counts_);
  }
  std::vector<store::MetricDatum> data;
  for (const auto& [key, counted] : counts) {
    store::MetricKey series{
        key.account, "AWS/SageMaker", "", {{"EndpointName", key.endpoint}, {"VariantName", key.variant}}};
    const auto add = [&](const char* name, const Values& values, const char* unit) {
      series.name = name;
      for (const auto& [value, count] : values)
        data.push_back({series, store::MetricSample::Of(now, value, unit, count)});
    };
    add("Invocations", {{1, counted.invocations}}, "None");
    add("InvocationsPerInstance", counted.per_instance, "None");
    add("InvocationModelErrors", counted.model_errors, "None");
    add("Invocation4XXErrors", counted.errors_4xx, "None");
    add("Invocation5XXErrors", counted.errors_5xx, "None");
    add("ModelLatency", counted.model_latency, "Microseconds");
    add("OverheadLatency", counted.overhead_latency, "Microseconds");
  }
  if (data.empty()) return {};
  return store::Metrics(database).Put(data);
}

}  // namespace headrace::jobs
