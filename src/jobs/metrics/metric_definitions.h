// A job's MetricDefinitions: regexes that are searched in each log line, with the value in their first group.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace headrace::jobs {

struct MetricDefinition {
  std::string name, regex;
};

struct MetricSample {
  size_t definition = 0;  // index
  double value = 0;
};

// A match whose first group is no finite number; `text` is that group, in the line that was given.
struct MetricMiss {
  size_t definition = 0;  // index
  std::string_view text;
};

class MetricMatcher {
 public:
  // kInvalidArgument names the first definition that can never work: an empty or repeated name, a regex that RE2 does
  // not take (look-around and back-references among them) or that has no group to hold the value.
  static Result<MetricMatcher> Compile(std::vector<MetricDefinition> definitions);
  MetricMatcher(MetricMatcher&&) noexcept;
  MetricMatcher& operator=(MetricMatcher&&) noexcept;
  ~MetricMatcher();

  const std::vector<MetricDefinition>& definitions() const { return definitions_; }
  // How many groups the definition's regex has: the first holds the value.
  int groups(size_t definition) const;

  // For each definition that matches somewhere in `line` its first match, if group 1 of that is a finite number.
  // `misses`, if given, receives the matches whose group 1 was something else.
  std::vector<MetricSample> Match(std::string_view line, std::vector<MetricMiss>* misses = nullptr) const;

 private:
  struct Compiled;
  MetricMatcher();

  std::vector<MetricDefinition> definitions_;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace headrace::jobs
