// MetricTrial: a dry run of metric definitions against a log: what a job with this output would have found, and what
// is suspicious about definitions that find nothing. A log of any size; memory stays that of one line. Lines longer
// than TerminalLines::kMaxColumns are matched in pieces, as in a job.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/capture/terminal_lines.h"
#include "jobs/metrics/metric_definitions.h"

namespace headrace::jobs {

struct MetricFinding {
  MetricDefinition definition;
  std::string refused;  // why no job takes this definition; "": one does

  uint64_t values = 0;       // lines that gave a value
  uint64_t not_numeric = 0;  // lines that matched, but whose first group held no number
  double first = 0, last = 0;
  uint64_t first_line = 0;  // the first line that matched, counted from 1; 0: none did
  std::string first_text;

  std::vector<std::string> warnings;
};

class MetricTrial {
 public:
  explicit MetricTrial(std::vector<MetricDefinition> definitions);

  // The next bytes of the log. Carriage returns and backspaces act as a terminal's; the platform's own lines, which
  // begin with "[headrace] ", are passed over: no job's metrics come from them.
  void Feed(std::string_view bytes);
  // Once, at the log's end: a finding for each definition, in their order.
  std::vector<MetricFinding> Finish();

  uint64_t lines() const { return lines_; }
  uint64_t platform_lines() const { return platform_lines_; }

 private:
  void Line(std::string_view line);
  void Matched(size_t definition, std::string_view line);
  void Warn(size_t index);

  TerminalLines terminal_;
  std::vector<MetricFinding> findings_;
  std::optional<MetricMatcher> matcher_;  // of the definitions that a job takes,
  std::vector<size_t> index_;             // and where each is among findings_
  std::vector<std::string> missed_;       // by finding: the first group that held no number
  // Definitions with doubled backslashes, tried with single ones as well.
  std::optional<MetricMatcher> unescaped_;
  std::vector<size_t> unescaped_index_;
  std::vector<uint64_t> unescaped_values_;  // by finding
  uint64_t lines_ = 0, platform_lines_ = 0;
};

}  // namespace headrace::jobs
