#include "apps/client/job_metrics.h"

#include "base/result.h"

namespace headrace::apps {
namespace {

using Json = nlohmann::json;

constexpr const char* kNamespace = "/aws/sagemaker/TrainingJobs";
constexpr double kMarginSeconds = 60;

// One query a metric that carries the job's name.
Json QueriesFor(const ApiClient& client, const std::string& job, int64_t period, const std::string& statistic) {
  const Json listed = ValueOrThrow(
      client.Call("cloudwatch", "ListMetrics",
                  {{"Namespace", kNamespace}, {"Dimensions", {{{"Name", "TrainingJobName"}, {"Value", job}}}}}));
  Json queries = Json::array();
  for (const auto& metric : listed["Metrics"]) {
    queries.push_back({{"Id", fmt::format("m{}", queries.size())},
                       {"MetricStat", {{"Metric", metric}, {"Period", period}, {"Stat", statistic}}}});
  }
  return queries;
}

void Append(Json& all, const Json& more) { all.insert(all.end(), more.begin(), more.end()); }

}  // namespace

Json ReadJobMetrics(const ApiClient& client, const Json& described, int64_t period, const std::string& statistic) {
  const Json queries = QueriesFor(client, described["TrainingJobName"], period, statistic);
  Json input{{"MetricDataQueries", queries},
             {"StartTime", described["CreationTime"]},
             {"EndTime", described["LastModifiedTime"].get<double>() + 86400},
             {"ScanBy", "TimestampAscending"}};
  if (described.contains("TrainingEndTime"))
    input["EndTime"] = described["TrainingEndTime"].get<double>() + kMarginSeconds;
  Json results = Json::array();
  while (!queries.empty()) {
    const Json page = ValueOrThrow(client.Call("cloudwatch", "GetMetricData", input));
    for (const auto& part : page["MetricDataResults"]) {
      const auto known =
          std::find_if(results.begin(), results.end(), [&](const Json& result) { return result["Id"] == part["Id"]; });
      if (known == results.end()) {
        results.push_back(part);
        continue;
      }
      Append((*known)["Timestamps"], part["Timestamps"]);
      Append((*known)["Values"], part["Values"]);
    }
    if (!page.contains("NextToken")) break;
    input["NextToken"] = page["NextToken"];
  }
  return results;
}

}  // namespace headrace::apps
