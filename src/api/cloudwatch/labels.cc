#include "api/cloudwatch/labels.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace headrace::api::cloudwatch {
namespace {

// Whether the series differ in what `part` says of them.
template <typename Part>
bool DifferIn(const std::vector<SeriesName>& series, const Part& part) {
  return std::any_of(series.begin(), series.end(), [&](const SeriesName& one) { return part(one) != part(series[0]); });
}

void Append(std::string& label, const std::string& word) {
  if (!word.empty()) label += (label.empty() ? "" : " ") + word;
}

std::string Values(const store::Dimensions& dimensions, bool with_names) {
  std::string text;
  for (const auto& [name, value] : dimensions) Append(text, with_names ? name + "=" + value : value);
  return text;
}

std::vector<std::string> Label(const std::vector<SeriesName>& series, MetricNameIn names, bool with_names) {
  const bool spaces = DifferIn(series, [](const SeriesName& one) { return one.key.name_space; });
  const bool dimensions = DifferIn(series, [](const SeriesName& one) { return one.key.dimensions; });
  const bool metrics = DifferIn(series, [](const SeriesName& one) { return one.key.name; });
  const bool statistics = DifferIn(series, [](const SeriesName& one) { return one.statistic; });
  const bool periods = DifferIn(series, [](const SeriesName& one) { return one.period; });
  const bool units = DifferIn(series, [](const SeriesName& one) { return one.unit; });
  std::vector<std::string> labels;
  for (const SeriesName& one : series) {
    std::string label;
    if (spaces) Append(label, one.key.name_space);
    if (dimensions) Append(label, Values(one.key.dimensions, with_names));
    if (metrics || !dimensions || names == MetricNameIn::kEveryLabel) Append(label, one.key.name);
    if (statistics) Append(label, one.statistic);
    if (periods) Append(label, fmt::format("{}s", one.period / 1000));
    if (units) Append(label, one.unit);
    if (label.empty()) label = one.key.name;
    labels.push_back(std::move(label));
  }
  return labels;
}

}  // namespace

std::vector<std::string> DistinctLabels(const std::vector<SeriesName>& series, MetricNameIn names) {
  if (series.empty()) return {};
  auto labels = Label(series, names, false);
  if (std::set<std::string>(labels.begin(), labels.end()).size() == labels.size()) return labels;
  return Label(series, MetricNameIn::kEveryLabel, true);  // the same values under other names of dimensions
}

std::map<std::string, std::string> LabelsOf(const std::vector<MetricQuery>& queries, bool returned) {
  std::vector<SeriesName> series;
  std::vector<std::string> ids;
  for (const MetricQuery& query : queries) {
    if (!query.metric || query.label || (returned && !query.return_data)) continue;
    series.push_back({*query.metric, query.statistic_name, query.unit, query.period});
    ids.push_back(query.id);
  }
  const auto labels = DistinctLabels(series, MetricNameIn::kEveryLabel);
  std::map<std::string, std::string> by_id;
  for (size_t i = 0; i < ids.size(); ++i) by_id[ids[i]] = labels[i];
  return by_id;
}

}  // namespace headrace::api::cloudwatch
