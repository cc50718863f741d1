// Counters and latency histograms under TensorFlow Serving's names, in Prometheus's text format.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "serving/model/batcher.h"

namespace headrace::serving {

class Metrics {
 public:
  // One request: its model ("" when it named none that exists), how it ended, its whole time and its time computing.
  void Count(const std::string& model, const std::string& method, const std::string& status, int64_t rows,
             double seconds, double compute_seconds, const char* entrypoint = "REST");
  std::string Render(const Batcher& batcher) const;

 private:
  static constexpr size_t kBuckets = 33;  // 10 * 1.8^i microseconds
  struct Histogram {
    std::array<uint64_t, kBuckets + 1> counts{};  // the last is for what lies above
    double sum = 0;
    void Add(double micros);
  };
  static void Append(const std::string& name, const std::string& labels, const Histogram& histogram, std::string& text);

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, uint64_t> requests_;  // model, status
  std::map<std::array<std::string, 3>, Histogram> latency_;           // model, method, entrypoint
  std::map<std::string, Histogram> runtime_;                          // model
  std::map<std::string, uint64_t> examples_;                          // model
};

}  // namespace headrace::serving
