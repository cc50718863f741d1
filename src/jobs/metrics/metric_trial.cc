#include "jobs/metrics/metric_trial.h"

#include <set>
#include <utility>

namespace headrace::jobs {
namespace {

constexpr std::string_view kPlatformLine = "[headrace] ", kDoubled = "\\\\";

// "\\d" for "\\\\d": what somebody meant who escaped an expression for Python once too often.
std::string WithSingleBackslashes(std::string regex) {
  for (size_t at = regex.find(kDoubled); at != std::string::npos; at = regex.find(kDoubled, at + 1)) regex.erase(at, 1);
  return regex;
}

// Why a job would refuse the definition: alone, and for its name beside those before it.
std::string Refusal(const MetricDefinition& definition, std::set<std::string>& names) {
  if (const auto compiled = MetricMatcher::Compile({definition}); !compiled) return compiled.error().message();
  if (!names.insert(definition.name).second) return fmt::format("the Name '{}' is defined twice", definition.name);
  return "";
}

}  // namespace

MetricTrial::MetricTrial(std::vector<MetricDefinition> definitions)
    : missed_(definitions.size()), unescaped_values_(definitions.size()) {
  std::set<std::string> names;
  std::vector<MetricDefinition> usable, unescaped;
  for (auto& definition : definitions) {
    MetricFinding finding;
    finding.refused = Refusal(definition, names);
    const size_t index = findings_.size();
    if (finding.refused.empty()) {
      usable.push_back(definition);
      index_.push_back(index);
      MetricDefinition other{definition.name, WithSingleBackslashes(definition.regex)};
      if (other.regex != definition.regex && MetricMatcher::Compile({other})) {
        unescaped.push_back(std::move(other));
        unescaped_index_.push_back(index);
      }
    }
    finding.definition = std::move(definition);
    findings_.push_back(std::move(finding));
  }
  // Each of them compiles alone, and their names differ.
  matcher_ = ValueOrThrow(MetricMatcher::Compile(std::move(usable)));
  unescaped_ = ValueOrThrow(MetricMatcher::Compile(std::move(unescaped)));
}

void MetricTrial::Feed(std::string_view bytes) {
  terminal_.Feed(bytes, [this](std::string_view line) { Line(line); });
}

void MetricTrial::Line(std::string_view line) {
  ++lines_;
  if (line.starts_with(kPlatformLine)) {
    ++platform_lines_;
    return;
  }
  std::vector<MetricMiss> misses;
  for (const auto& sample : matcher_->Match(line, &misses)) {
    auto& finding = findings_[index_[sample.definition]];
    Matched(index_[sample.definition], line);
    if (finding.values++ == 0) finding.first = sample.value;
    finding.last = sample.value;
  }
  for (const auto& miss : misses) {
    const size_t index = index_[miss.definition];
    Matched(index, line);
    if (findings_[index].not_numeric++ == 0) missed_[index] = miss.text;
  }
  for (const auto& sample : unescaped_->Match(line)) ++unescaped_values_[unescaped_index_[sample.definition]];
}

void MetricTrial::Matched(size_t definition, std::string_view line) {
  auto& finding = findings_[definition];
  if (finding.first_line != 0) return;
  finding.first_line = lines_;
  finding.first_text = line;
}

std::vector<MetricFinding> MetricTrial::Finish() {
  terminal_.Finish([this](std::string_view line) { Line(line); });
  for (size_t i = 0; i < index_.size(); ++i) Warn(i);
  return std::move(findings_);
}

// `usable`: an index among the definitions that a job takes.
void MetricTrial::Warn(size_t usable) {
  const size_t index = index_[usable];
  auto& finding = findings_[index];
  const auto warn = [&](std::string text) { finding.warnings.push_back(std::move(text)); };
  if (finding.first_line == 0) {
    warn("no line matched");
  } else if (finding.not_numeric > 0) {
    warn(fmt::format("{} lines matched, but their first group was no number: '{}'", finding.not_numeric,
                     missed_[index]));
  }
  if (const int groups = matcher_->groups(usable); groups > 1)
    warn(fmt::format("the Regex has {} groups, of which only the first is read; write (?:…) for the others", groups));
  const auto& regex = finding.definition.regex;
  if (finding.values > 0 || regex.find(kDoubled) == std::string::npos) return;
  if (unescaped_values_[index] > 0)
    warn(fmt::format("two backslashes match one in the log; with one each ('{}') {} lines would have given a value",
                     WithSingleBackslashes(regex), unescaped_values_[index]));
  else
    warn("two backslashes match one in the log; was the Regex escaped twice?");
}

}  // namespace headrace::jobs
