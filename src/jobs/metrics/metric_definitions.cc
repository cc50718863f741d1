#include "jobs/metrics/metric_definitions.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <set>

#include <re2/re2.h>

namespace headrace::jobs {
namespace {

// The whole text is the number, blanks around it aside.
std::optional<double> ParseNumber(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(" \t") - first + 1);
  if (text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string_view Advice(const std::string& regex) {
  for (const char* look_around : {"(?=", "(?!", "(?<=", "(?<!"})
    if (regex.find(look_around) != std::string::npos) return "; look-around is not supported";
  return "";
}

}  // namespace

struct MetricMatcher::Compiled {
  std::vector<std::unique_ptr<RE2>> regexes;
};

MetricMatcher::MetricMatcher() : compiled_(std::make_unique<Compiled>()) {}
MetricMatcher::MetricMatcher(MetricMatcher&&) noexcept = default;
MetricMatcher& MetricMatcher::operator=(MetricMatcher&&) noexcept = default;
MetricMatcher::~MetricMatcher() = default;

Result<MetricMatcher> MetricMatcher::Compile(std::vector<MetricDefinition> definitions) {
  RE2::Options options(RE2::Quiet);
  MetricMatcher matcher;
  std::set<std::string_view> names;
  for (size_t i = 0; i < definitions.size(); ++i) {
    const auto& [name, regex] = definitions[i];
    if (name.empty()) return Fail(ErrorCode::kInvalidArgument, "MetricDefinitions[{}]: Name is empty", i);
    if (!names.insert(name).second)
      return Fail(ErrorCode::kInvalidArgument, "MetricDefinitions[{}]: the Name '{}' is defined twice", i, name);
    auto compiled = std::make_unique<RE2>(regex, options);
    if (!compiled->ok())
      return Fail(ErrorCode::kInvalidArgument, "MetricDefinitions[{}] '{}': Regex '{}' is not valid: {}{}", i, name,
                  regex, compiled->error(), Advice(regex));
    if (compiled->NumberOfCapturingGroups() == 0)
      return Fail(ErrorCode::kInvalidArgument,
                  "MetricDefinitions[{}] '{}': Regex '{}' has no group; put parentheses around the number", i, name,
                  regex);
    matcher.compiled_->regexes.push_back(std::move(compiled));
  }
  matcher.definitions_ = std::move(definitions);
  return matcher;
}

int MetricMatcher::groups(size_t definition) const { return compiled_->regexes[definition]->NumberOfCapturingGroups(); }

std::vector<MetricSample> MetricMatcher::Match(std::string_view line, std::vector<MetricMiss>* misses) const {
  std::vector<MetricSample> samples;
  for (size_t i = 0; i < compiled_->regexes.size(); ++i) {
    re2::StringPiece groups[2];
    if (!compiled_->regexes[i]->Match(re2::StringPiece(line.data(), line.size()), 0, line.size(), RE2::UNANCHORED,
                                      groups, 2))
      continue;
    const std::string_view text(groups[1].data() == nullptr ? "" : groups[1].data(), groups[1].size());
    if (const auto value = ParseNumber(text))
      samples.push_back({i, *value});
    else if (misses != nullptr)
      misses->push_back({i, text});
  }
  return samples;
}

}  // namespace headrace::jobs
