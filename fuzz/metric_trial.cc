// A user's regex (the first line) and a program's log: findings do not depend on how the bytes were cut.
#include "jobs/metrics/metric_trial.h"

#include <cstdint>
#include <cstdlib>

namespace {

headrace::jobs::MetricFinding Try(std::string_view regex, std::string_view log, size_t piece) {
  headrace::jobs::MetricTrial trial(std::vector<headrace::jobs::MetricDefinition>{{"metric", std::string(regex)}});
  for (size_t i = 0; i < log.size(); i += piece) trial.Feed(log.substr(i, piece));
  auto finding = trial.Finish().at(0);
  if (finding.values + finding.not_numeric > trial.lines()) std::abort();
  return finding;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto end = bytes.find('\n');
  if (end == std::string_view::npos || end > 500) return 0;
  const auto regex = bytes.substr(0, end), log = bytes.substr(end + 1);
  const auto whole = Try(regex, log, size + 1), pieces = Try(regex, log, 5);
  if (whole.values != pieces.values || whole.not_numeric != pieces.not_numeric ||
      whole.first_text != pieces.first_text || whole.warnings != pieces.warnings)
    std::abort();
  return 0;
}
