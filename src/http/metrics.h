// Metrics: what the server has done, in Prometheus's text format.
#pragma once

#include <array>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "http/server.h"

namespace headrace::http {

// Thread-safe. Service and operation are the two words of Request::log_detail.
class Metrics {
 public:
  void Observe(const Exchange& exchange);
  std::string Render(size_t open_connections) const;

 private:
  static constexpr std::array<double, 14> kBounds{.0005, .001, .0025, .005, .01, .025, .05,
                                                  .1,    .25,  .5,    1,    2.5, 10,   60};
  struct Histogram {
    std::array<uint64_t, kBounds.size() + 1> counts{};  // the last is for what lies above
    double seconds = 0;
  };

  mutable std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, int>, uint64_t> requests_;
  std::map<std::string, Histogram> latency_;  // by service
  uint64_t received_ = 0, sent_ = 0, incomplete_ = 0;
};

}  // namespace headrace::http
