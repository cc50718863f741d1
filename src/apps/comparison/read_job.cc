#include "apps/comparison/read_job.h"

#include <algorithm>
#include <map>

#include "apps/client/job_log.h"
#include "apps/client/job_metrics.h"
#include "base/result.h"

namespace headrace::apps::comparison {
namespace {

// Of the first host that prints epochs; without one of the first host.
TrainingProgress ReadProgress(const ApiClient& client, const std::string& job) {
  std::map<std::string, TrainingProgress> by_stream;
  JobLog(client, job).ForEachNew([&](const std::string& stream, const nlohmann::json& event) {
    by_stream[stream].Feed(event["timestamp"], event["message"].get_ref<const std::string&>());
  });
  const auto prints = std::find_if(by_stream.begin(), by_stream.end(),
                                   [](const auto& entry) { return !entry.second.epochs().empty(); });
  return prints == by_stream.end() ? TrainingProgress() : prints->second;
}

}  // namespace

std::vector<Curve> ReadCurves(const ApiClient& client, const nlohmann::json& described,
                              const std::vector<std::string>& wanted) {
  const double created = described["CreationTime"];
  std::vector<Curve> curves;
  for (const auto& result : ReadJobMetrics(client, described, 1, "Average")) {
    Curve curve{.metric = result["Label"], .seconds = result["Timestamps"], .values = result["Values"]};
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), curve.metric) == wanted.end()) continue;
    // A second stands for the values that came in it, those before the job's creation in the first one, too.
    for (double& at : curve.seconds) at = std::max(at - created, 0.0);
    curves.push_back(std::move(curve));
  }
  return curves;
}

ComparedJob ReadJob(const ApiClient& client, const std::string& name, const std::vector<std::string>& metrics,
                    const InstancePrices& prices, std::optional<int64_t> batch_size) {
  const auto described = ValueOrThrow(client.Call("sagemaker", "DescribeTrainingJob", {{"TrainingJobName", name}}));
  return CompareJob(described, ReadProgress(client, name), ReadCurves(client, described, metrics), prices, batch_size);
}

}  // namespace headrace::apps::comparison
