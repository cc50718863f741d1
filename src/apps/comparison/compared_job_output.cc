// Comparisons as text and as JSON.
#include <algorithm>
#include <functional>

#include "apps/comparison/compared_job.h"

namespace headrace::apps::comparison {
namespace {

using Json = nlohmann::json;

struct Row {
  const char* title;
  const char* json;  // the member's name; its source is NAME_source
  Figure ComparedJob::*figure;
  int digits;
};
constexpr Row kRows[] = {{"time to first step, s", "first_step_seconds", &ComparedJob::first_step, 2},
                         {"time an epoch, s", "epoch_seconds", &ComparedJob::epoch, 2},
                         {"images/s", "images_per_second", &ComparedJob::images_per_second, 0},
                         {"billable seconds", "billable_seconds", &ComparedJob::billable, 0},
                         {"cost", "cost", &ComparedJob::cost, 4}};

size_t Characters(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string Padded(const std::string& text, size_t width, bool right) {
  const std::string blank(width - std::min(width, Characters(text)), ' ');
  return right ? blank + text : text + blank;
}

// Cells in columns as wide as the widest; the first to the left, the others to the right.
std::string Table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Characters(row[i]));
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) line += (i == 0 ? "" : "  ") + Padded(row[i], widths[i], i > 0);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string Shown(const Figure& figure, int digits) {
  return figure.value ? fmt::format("{:.{}f}", *figure.value, digits) : "-";
}

std::vector<std::string> FinalMetricNames(const std::vector<ComparedJob>& jobs) {
  std::vector<std::string> names;
  for (const ComparedJob& job : jobs)
    for (const auto& [name, value] : job.final_metrics)
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  return names;
}

std::string FinalMetric(const ComparedJob& job, const std::string& name) {
  for (const auto& [known, value] : job.final_metrics)
    if (known == name) return fmt::format("{:.6g}", value);
  return "-";
}

// One line a source that some jobs share.
std::string Sources(const std::vector<ComparedJob>& jobs, const Row& row) {
  std::vector<std::pair<std::string, std::string>> by_source;  // source, names
  for (const ComparedJob& job : jobs) {
    const std::string& source = (job.*row.figure).source;
    const auto known =
        std::find_if(by_source.begin(), by_source.end(), [&](const auto& entry) { return entry.first == source; });
    if (known == by_source.end())
      by_source.emplace_back(source, job.name);
    else
      known->second += ", " + job.name;
  }
  std::string text;
  for (const auto& [source, names] : by_source)
    text += fmt::format("  {}: {}{}\n", row.title, source, by_source.size() > 1 ? " (" + names + ")" : "");
  return text;
}

Json ToJson(const ComparedJob& job) {
  Json json{{"name", job.name}, {"status", job.status}, {"instances", job.instances}, {"epochs_seconds", job.epochs}};
  for (const Row& row : kRows) {
    const Figure& figure = job.*row.figure;
    json[row.json] = figure.value ? Json(*figure.value) : Json();
    json[fmt::format("{}_source", row.json)] = figure.source;
  }
  json["final_metrics"] = Json::object();
  for (const auto& [name, value] : job.final_metrics) json["final_metrics"][name] = value;
  return json;
}

}  // namespace

Json ToJson(const std::vector<ComparedJob>& jobs) {
  Json json{{"jobs", Json::array()}, {"curves", Json::array()}};
  for (const ComparedJob& job : jobs) json["jobs"].push_back(ToJson(job));
  for (const std::string& metric : CurveNames(jobs))
    for (const ComparedJob& job : jobs)
      if (const Curve* curve = FindCurve(job, metric))
        json["curves"].push_back(
            {{"metric", metric}, {"job", job.name}, {"seconds", curve->seconds}, {"values", curve->values}});
  return json;
}

std::string ToText(const std::vector<ComparedJob>& jobs) {
  std::vector<std::vector<std::string>> rows;
  const auto add = [&](const std::string& title, const std::function<std::string(const ComparedJob&)>& cell) {
    rows.push_back({title});
    for (const ComparedJob& job : jobs) rows.back().push_back(cell(job));
  };
  add("", [](const ComparedJob& job) { return job.name; });
  add("status", [](const ComparedJob& job) { return job.status; });
  add("instances", [](const ComparedJob& job) { return job.instances; });
  for (const Row& row : kRows)
    add(row.title, [&](const ComparedJob& job) { return Shown(job.*row.figure, row.digits); });
  for (const std::string& name : FinalMetricNames(jobs))
    add("last " + name, [&](const ComparedJob& job) { return FinalMetric(job, name); });

  std::string text = Table(rows) + "\nwhere from:\n";
  for (const Row& row : kRows) text += Sources(jobs, row);
  return text;
}

}  // namespace headrace::apps::comparison
