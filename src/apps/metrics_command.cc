#include "apps/metrics_command.h"

#include <iostream>

#include "apps/api_client.h"
#include "apps/command.h"
#include "apps/settings.h"
#include "aws/time.h"

namespace headrace::apps {
namespace {

using Json = nlohmann::json;

constexpr const char* kNamespace = "/aws/sagemaker/TrainingJobs";
constexpr double kMarginSeconds = 60;

// One query a metric that carries the job's name.
Json QueriesFor(const ApiClient& client, const std::string& job, int64_t period, const std::string& statistic) {
  const Json listed = ValueOrThrow(
      client.Call("monitoring", "ListMetrics",
                  {{"Namespace", kNamespace}, {"Dimensions", {{{"Name", "TrainingJobName"}, {"Value", job}}}}}));
  Json queries = Json::array();
  for (const auto& metric : listed["Metrics"]) {
    queries.push_back({{"Id", fmt::format("m{}", queries.size())},
                       {"MetricStat", {{"Metric", metric}, {"Period", period}, {"Stat", statistic}}}});
  }
  return queries;
}

void Print(const Json& result) {
  for (size_t i = 0; i < result["Values"].size(); ++i) {
    const auto time = static_cast<UnixMillis>(result["Timestamps"][i].get<double>() * 1000);
    std::cout << fmt::format("{} {:<32} {}\n", aws::Iso8601(time), result["Label"].get<std::string>(),
                             result["Values"][i].get<double>());
  }
}

void RunMetrics(const SettingOptions& options, const std::string& job, int64_t period, const std::string& statistic,
                OutputFormat format) {
  const ApiClient client = ValueOrThrow(ApiClient::Find(options.Read().data_dir));
  const Json described = ValueOrThrow(client.Call("sagemaker", "DescribeTrainingJob", {{"TrainingJobName", job}}));
  const Json queries = QueriesFor(client, job, period, statistic);
  Json results = Json::array();
  Json input{{"MetricDataQueries", queries},
             {"StartTime", described["CreationTime"]},
             {"EndTime", described["LastModifiedTime"].get<double>() + 86400},
             {"ScanBy", "TimestampAscending"}};
  if (described.contains("TrainingEndTime")) {
    input["EndTime"] = described["TrainingEndTime"].get<double>() + kMarginSeconds;
  }
  while (!queries.empty()) {
    const Json page = ValueOrThrow(client.Call("monitoring", "GetMetricData", input));
    for (const auto& result : page["MetricDataResults"]) results.push_back(result);
    if (!page.contains("NextToken")) break;
    input["NextToken"] = page["NextToken"];
  }
  if (format == OutputFormat::kJson) {
    std::cout << results.dump(2) << "\n";
    return;
  }
  for (const auto& result : results) Print(result);
}

}  // namespace

void AddMetricsCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("metrics", "the metrics that were cut out of a training job's log");
  auto options = std::make_shared<SettingOptions>(*command, std::initializer_list<std::string_view>{"data-dir"});
  auto job = std::make_shared<std::string>(), statistic = std::make_shared<std::string>("Average");
  auto period = std::make_shared<int64_t>(1);
  command->add_option("JOB", *job, "the training job")->required();
  command->add_option("--period", *period, "seconds that one value stands for: 1, 5, 10, 20, 30 or a multiple of 60")
      ->capture_default_str();
  command->add_option("--stat", *statistic, "Average, Minimum, Maximum, Sum, SampleCount or a percentile such as p99")
      ->capture_default_str();
  auto format = AddOutputOption(*command);
  SetExample(*command, "headrace metrics my-job --period 60 --stat Maximum");
  command->callback([=] { RunMetrics(*options, *job, *period, *statistic, *format); });
}

}  // namespace headrace::apps
