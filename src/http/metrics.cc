#include "http/metrics.h"

#include <algorithm>
#include <cstdio>

#include <unistd.h>

namespace headrace::http {
namespace {

// Labels that a client could choose must not fill the memory.
constexpr size_t kMaxSeries = 2000;

std::pair<std::string, std::string> ServiceAndOperation(const std::string& detail) {
  const size_t split = std::min(detail.find_first_of(" :"), detail.size());
  const std::string service = detail.substr(0, split);
  const std::string rest = detail.substr(std::min(split + 1, detail.size()));
  return {service.empty() ? "none" : service, rest.substr(0, rest.find(' '))};
}

std::string Label(const std::string& value) {
  std::string escaped;
  for (const char c : value) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

long ResidentBytes() {
  long pages = 0, resident = 0;
  if (FILE* file = std::fopen("/proc/self/statm", "re"); file != nullptr) {
    if (std::fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident * ::sysconf(_SC_PAGESIZE);
}

void AppendMetric(std::string& text, const char* name, const char* type, const char* help) {
  text += fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
}

}  // namespace

void Metrics::Observe(const Exchange& exchange) {
  const auto [service, operation] = ServiceAndOperation(exchange.request.log_detail);
  const size_t bucket =
      static_cast<size_t>(std::lower_bound(kBounds.begin(), kBounds.end(), exchange.seconds) - kBounds.begin());
  const std::lock_guard lock(mutex_);
  std::tuple key(service, operation, exchange.status);
  if (requests_.size() >= kMaxSeries && !requests_.contains(key)) key = {"other", "other", exchange.status};
  ++requests_[key];
  Histogram& histogram = latency_[std::get<0>(key)];
  ++histogram.counts[bucket];
  histogram.seconds += exchange.seconds;
  received_ += exchange.received_bytes;
  sent_ += exchange.sent_bytes;
  incomplete_ += exchange.complete ? 0 : 1;
}

std::string Metrics::Render(size_t open_connections) const {
  std::string text;
  const std::lock_guard lock(mutex_);
  AppendMetric(text, "headrace_http_requests_total", "counter", "Requests answered.");
  for (const auto& [key, count] : requests_)
    text += fmt::format("headrace_http_requests_total{{service=\"{}\",operation=\"{}\",status=\"{}\"}} {}\n",
                        Label(std::get<0>(key)), Label(std::get<1>(key)), std::get<2>(key), count);
  AppendMetric(text, "headrace_http_request_seconds", "histogram", "From the head's arrival to the response's end.");
  for (const auto& [service, histogram] : latency_) {
    uint64_t total = 0;
    for (size_t i = 0; i < histogram.counts.size(); ++i) {
      total += histogram.counts[i];
      const std::string bound = i < kBounds.size() ? fmt::format("{}", kBounds[i]) : "+Inf";
      text += fmt::format("headrace_http_request_seconds_bucket{{service=\"{}\",le=\"{}\"}} {}\n", Label(service),
                          bound, total);
    }
    text += fmt::format(
        "headrace_http_request_seconds_sum{{service=\"{0}\"}} "
        "{1}\nheadrace_http_request_seconds_count{{service=\"{0}\"}} {2}\n",
        Label(service), histogram.seconds, total);
  }
  AppendMetric(text, "headrace_http_received_bytes_total", "counter", "Bytes of request bodies.");
  text += fmt::format("headrace_http_received_bytes_total {}\n", received_);
  AppendMetric(text, "headrace_http_sent_bytes_total", "counter", "Bytes of response bodies.");
  text += fmt::format("headrace_http_sent_bytes_total {}\n", sent_);
  AppendMetric(text, "headrace_http_incomplete_responses_total", "counter", "Responses whose client went away.");
  text += fmt::format("headrace_http_incomplete_responses_total {}\n", incomplete_);
  AppendMetric(text, "headrace_http_open_connections", "gauge", "Connections now.");
  text += fmt::format("headrace_http_open_connections {}\n", open_connections);
  AppendMetric(text, "process_resident_memory_bytes", "gauge", "Resident memory.");
  text += fmt::format("process_resident_memory_bytes {}\n", ResidentBytes());
  return text;
}

}  // namespace headrace::http
