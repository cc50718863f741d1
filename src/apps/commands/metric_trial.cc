#include "apps/commands/metric_trial.h"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "api/sagemaker/training_job_shape.h"

namespace headrace::apps {
namespace {

using Json = nlohmann::json;

constexpr const char *kDefinitions = "MetricDefinitions", *kSpecification = "AlgorithmSpecification";
constexpr size_t kShownCharacters = 160;

// Lower case without what separates words: "metric_definitions" and "MetricDefinitions" are alike.
std::string Letters(std::string_view key) {
  std::string letters;
  for (const char c : key)
    if (c != '_' && c != '-' && c != ' ') letters += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return letters;
}

// Letters to insert, delete or replace.
size_t EditDistance(std::string_view from, std::string_view to) {
  std::vector<size_t> row(to.size() + 1);
  for (size_t j = 0; j <= to.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= from.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      const size_t replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

// A key that is not `wanted` but was probably meant to be.
bool Resembles(const std::string& key, std::string_view wanted) {
  if (key == wanted || key.size() > 2 * wanted.size()) return false;
  return EditDistance(Letters(key), Letters(wanted)) <= std::max<size_t>(1, wanted.size() / 5);
}

std::optional<std::string> Misspelling(const Json& object, std::string_view wanted) {
  for (const auto& [key, value] : object.items())
    if (Resembles(key, wanted)) return key;
  return std::nullopt;
}

Result<Json> FindList(const Json& document) {
  if (document.is_array()) return document;
  if (!document.is_object())
    return Fail(ErrorCode::kInvalidArgument, R"(found {}, wanted a list of {{"Name": …, "Regex": …}})",
                document.type_name());
  const auto specification = document.find(kSpecification);
  const bool nested = specification != document.end() && specification->is_object();
  const Json& holder = nested ? *specification : document;
  if (const auto found = holder.find(kDefinitions); found != holder.end() && !found->is_null()) return *found;
  if (const auto found = Misspelling(holder, kDefinitions))
    return Fail(ErrorCode::kInvalidArgument, "{}found the key '{}', wanted '{}'",
                nested ? "AlgorithmSpecification: " : "", *found, kDefinitions);
  if (const auto found = nested ? std::nullopt : Misspelling(document, kSpecification))
    return Fail(ErrorCode::kInvalidArgument, "found the key '{}', wanted '{}'", *found, kSpecification);
  return Fail(ErrorCode::kInvalidArgument, "found no {}, neither by itself nor in an {}", kDefinitions, kSpecification);
}

// The commonest mistakes, told before the service's own words for them.
Status CheckKeys(const Json& list) {
  for (size_t i = 0; list.is_array() && i < list.size(); ++i)
    for (const char* wanted : {"Name", "Regex"})
      if (list[i].is_object() && !list[i].contains(wanted))
        if (const auto found = Misspelling(list[i], wanted))
          return Fail(ErrorCode::kInvalidArgument, "{}[{}]: found the key '{}', wanted '{}'", kDefinitions, i, *found,
                      wanted);
  return {};
}

std::string Shortened(const std::string& text) {
  if (text.size() <= kShownCharacters) return text;
  size_t end = kShownCharacters;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // whole characters
  return text.substr(0, end) + "…";
}

Json ToJson(const jobs::MetricFinding& finding) {
  Json json{{"name", finding.definition.name},
            {"regex", finding.definition.regex},
            {"matched_lines", finding.values + finding.not_numeric},
            {"values", finding.values},
            {"warnings", finding.warnings}};
  if (!finding.refused.empty()) json["refused"] = finding.refused;
  if (finding.values > 0) {
    json["first"] = finding.first;
    json["last"] = finding.last;
  }
  if (finding.first_line > 0) json["first_match"] = {{"line", finding.first_line}, {"text", finding.first_text}};
  return json;
}

void PrintFinding(const jobs::MetricFinding& finding, std::ostream& out) {
  const auto& name = finding.definition.name;
  if (!finding.refused.empty()) {
    out << fmt::format("{}: refused: {}\n", name, finding.refused);
    return;
  }
  const auto matched = finding.values + finding.not_numeric;
  out << fmt::format("{}: {} lines matched, {} values", name, matched, finding.values);
  if (finding.values > 0) out << fmt::format(", first {}, last {}", finding.first, finding.last);
  out << "\n";
  if (matched > 0) out << fmt::format("  line {}: {}\n", finding.first_line, Shortened(finding.first_text));
  for (const auto& warning : finding.warnings) out << "  warning: " << warning << "\n";
}

}  // namespace

Result<std::vector<jobs::MetricDefinition>> ParseMetricDefinitions(std::string_view text) {
  const Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded())
    return Fail(ErrorCode::kInvalidArgument,
                "found no JSON; a list in Python becomes JSON with print(json.dumps(metric_definitions))");
  HEADRACE_ASSIGN(const Json list, FindList(document));
  HEADRACE_TRY(CheckKeys(list));
  const auto shape = api::Shape::Structure({{kDefinitions, api::sagemaker::MetricDefinitionsShape(), true}});
  if (const auto refusal = api::Validate(shape, {{kDefinitions, list}}))
    return Fail(ErrorCode::kInvalidArgument, "{}", refusal->message);
  if (list.empty()) return Fail(ErrorCode::kInvalidArgument, "{}: found an empty list", kDefinitions);
  std::vector<jobs::MetricDefinition> definitions;
  for (const auto& definition : list) definitions.push_back({definition["Name"], definition["Regex"]});
  return definitions;
}

void PrintMetricTrial(const std::vector<jobs::MetricFinding>& findings, const jobs::MetricTrial& trial,
                      OutputFormat format, std::ostream& out) {
  if (format == OutputFormat::kJson) {
    Json definitions = Json::array();
    for (const auto& finding : findings) definitions.push_back(ToJson(finding));
    out << Json{{"lines", trial.lines()}, {"platform_lines", trial.platform_lines()}, {"definitions", definitions}}
               .dump(2, ' ', false, Json::error_handler_t::replace)
        << "\n";
    return;
  }
  for (const auto& finding : findings) PrintFinding(finding, out);
  out << fmt::format("{} lines", trial.lines());
  if (trial.platform_lines() > 0) out << fmt::format(", {} of them the platform's own", trial.platform_lines());
  out << "\n";
}

}  // namespace headrace::apps
