#include "serving/rest/metrics.h"

#include <fmt/format.h>

namespace headrace::serving {
namespace {

double BoundOf(size_t bucket) {
  double bound = 10;
  for (size_t i = 0; i < bucket; ++i) bound *= 1.8;
  return bound;
}

}  // namespace

void Metrics::Histogram::Add(double micros) {
  size_t bucket = 0;
  for (double bound = 10; bucket < kBuckets && micros > bound; bound *= 1.8) ++bucket;
  ++counts[bucket];
  sum += micros;
}

void Metrics::Count(const std::string& model, const std::string& method, const std::string& status, int64_t rows,
                    double seconds, double compute_seconds, const char* entrypoint) {
  const std::lock_guard lock(mutex_);
  ++requests_[{model, status}];
  latency_[{model, method, entrypoint}].Add(seconds * 1e6);
  if (rows == 0) return;
  runtime_[model].Add(compute_seconds * 1e6);
  examples_[model] += static_cast<uint64_t>(rows);
}

void Metrics::Append(const std::string& name, const std::string& labels, const Histogram& histogram,
                     std::string& text) {
  uint64_t total = 0;
  for (size_t i = 0; i <= kBuckets; ++i) {
    total += histogram.counts[i];
    const std::string bound = i < kBuckets ? fmt::format("{:.6g}", BoundOf(i)) : "+Inf";
    text += fmt::format("{}_bucket{{{},le=\"{}\"}} {}\n", name, labels, bound, total);
  }
  text += fmt::format("{}_sum{{{}}} {}\n{}_count{{{}}} {}\n", name, labels, histogram.sum, name, labels, total);
}

std::string Metrics::Render(const Batcher& batcher) const {
  const std::lock_guard lock(mutex_);
  std::string text = "# TYPE :tensorflow:serving:request_count counter\n";
  for (const auto& [key, count] : requests_)
    text += fmt::format(":tensorflow:serving:request_count{{model_name=\"{}\",status=\"{}\"}} {}\n", key.first,
                        key.second, count);
  text += "# TYPE :tensorflow:serving:request_latency histogram\n";
  for (const auto& [key, histogram] : latency_)
    Append(":tensorflow:serving:request_latency",
           fmt::format("model_name=\"{}\",API=\"{}\",entrypoint=\"{}\"", key[0], key[1], key[2]), histogram, text);
  text += "# TYPE :tensorflow:serving:runtime_latency histogram\n";
  for (const auto& [model, histogram] : runtime_)
    Append(":tensorflow:serving:runtime_latency",
           fmt::format("model_name=\"{}\",API=\"Predict\",runtime=\"headrace\"", model), histogram, text);
  text += "# TYPE :tensorflow:serving:request_example_count_total counter\n";
  for (const auto& [model, count] : examples_)
    text += fmt::format(":tensorflow:serving:request_example_count_total{{model=\"{}\"}} {}\n", model, count);
  const Batcher::Counters& c = batcher.counters();
  const std::pair<const char*, uint64_t> batching[] = {{"batches", c.batches},
                                                       {"requests", c.requests},
                                                       {"rows", c.rows},
                                                       {"queue_microseconds", c.queue_micros},
                                                       {"compute_microseconds", c.compute_micros}};
  for (const auto& [name, value] : batching)
    text += fmt::format("# TYPE headrace_batching_{0}_total counter\nheadrace_batching_{0}_total {1}\n", name, value);
  return text;
}

}  // namespace headrace::serving
