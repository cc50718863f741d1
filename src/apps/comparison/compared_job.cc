#include "apps/comparison/compared_job.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace headrace::apps::comparison {
namespace {

using Json = nlohmann::json;

constexpr const char* kBatchSizeNames[] = {"batch-size", "batch_size"};
constexpr const char* kStepMetric = "sec/steps";  // as the CIFAR-10 notebook names Keras's milliseconds a step

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

// A hyperparameter without the quotes that the SDK puts around texts; empty: the job has none of that name.
std::string HyperParameter(const Json& described, const std::string& name) {
  const Json parameters = described.value("HyperParameters", Json::object());
  std::string value = parameters.value(name, "");
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  return value;
}

std::optional<int64_t> PositiveNumber(const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number <= 0) return std::nullopt;
  return number;
}

struct Instances {
  std::string type;
  int64_t count = 0;
};

std::vector<Instances> InstancesOf(const Json& described) {
  const Json resources = described.value("ResourceConfig", Json::object());
  std::vector<Instances> all;
  for (const auto& group : resources.value("InstanceGroups", Json::array()))
    all.push_back({group.value("InstanceType", ""), group.value("InstanceCount", int64_t{0})});
  if (all.empty()) all.push_back({resources.value("InstanceType", ""), resources.value("InstanceCount", int64_t{0})});
  return all;
}

int64_t Count(const std::vector<Instances>& instances) {
  int64_t count = 0;
  for (const auto& of_type : instances) count += of_type.count;
  return count;
}

std::string ToText(const std::vector<Instances>& instances) {
  std::string text;
  for (const auto& [type, count] : instances) text += fmt::format("{}{} x {}", text.empty() ? "" : " + ", count, type);
  return text;
}

// Processes that train one model together. Without MPI each instance trains a model of its own.
int64_t Ranks(const Json& described, const std::vector<Instances>& instances) {
  if (HyperParameter(described, "sagemaker_mpi_enabled") != "true") return 1;
  return Count(instances) *
         PositiveNumber(HyperParameter(described, "sagemaker_mpi_num_of_processes_per_host")).value_or(1);
}

Figure FirstStep(const TrainingProgress& progress, const std::vector<Curve>& curves, double created) {
  if (!progress.epochs().empty())
    return {static_cast<double>(progress.epochs().front().begin) / 1000 - created, "log: its first \"Epoch …\""};
  const Curve* earliest = nullptr;
  for (const Curve& curve : curves)
    if (!curve.seconds.empty() && (earliest == nullptr || curve.seconds.front() < earliest->seconds.front()))
      earliest = &curve;
  if (earliest != nullptr) return {earliest->seconds.front(), "metric: the first " + earliest->metric};
  return {{}, "neither a line \"Epoch …\" in the log nor a metric"};
}

std::vector<double> EpochSeconds(const TrainingProgress& progress) {
  std::vector<double> seconds;
  for (const Epoch& epoch : progress.epochs())
    if (epoch.end) seconds.push_back(static_cast<double>(*epoch.end - epoch.begin) / 1000);
  return seconds;
}

Figure MedianEpoch(const std::vector<double>& epochs) {
  if (epochs.empty()) return {{}, "no epoch has ended in the log"};
  return {Median(epochs), fmt::format("log: median of {} epochs, validation included", epochs.size())};
}

// The time of a step as the training program prints it: from the log, where its unit is known, else from the metric
// that the notebook's definitions cut from the same lines.
Figure StepSeconds(const TrainingProgress& progress, const std::vector<Curve>& curves) {
  std::vector<double> steps;
  for (const Epoch& epoch : progress.epochs())
    if (epoch.seconds_per_step > 0) steps.push_back(epoch.seconds_per_step);
  if (!steps.empty()) return {Median(steps), "log: Keras's time a step"};
  for (const Curve& curve : curves)
    if (curve.metric == kStepMetric && !curve.values.empty())
      return {Median(curve.values) / 1000, fmt::format("metric: {}, in milliseconds", kStepMetric)};
  return {{}, fmt::format("neither a time a step in the log nor a metric {}", kStepMetric)};
}

Figure ImagesPerSecond(const Json& described, const Figure& step, int64_t ranks, std::optional<int64_t> batch_size) {
  if (!step.value || *step.value <= 0) return {{}, step.source};
  std::string from = "--batch-size";
  for (const char* name : kBatchSizeNames) {
    const auto said = PositiveNumber(HyperParameter(described, name));
    if (!said) continue;
    batch_size = said;
    from = fmt::format("hyperparameter {}", name);
    break;
  }
  if (!batch_size) return {{}, "no hyperparameter batch-size; --batch-size says it"};
  return {static_cast<double>(*batch_size * ranks) / *step.value,
          fmt::format("{}; {} x {} rank{}", step.source, from, ranks, ranks == 1 ? "" : "s")};
}

Figure Billable(const Json& described, const std::vector<Instances>& instances) {
  if (!described.contains("BillableTimeInSeconds")) return {{}, "the job has not ended, or has never started"};
  return {described["BillableTimeInSeconds"].get<double>() * static_cast<double>(Count(instances)),
          "BillableTimeInSeconds x instances"};
}

Figure Cost(const Json& described, const std::vector<Instances>& instances, const InstancePrices& prices) {
  if (prices.empty()) return {{}, "no price: the setting instance-prices is empty"};
  double an_hour = 0;
  for (const auto& [type, count] : instances) {
    const auto price = prices.PerHour(type);
    if (!price) return {{}, fmt::format("no price of {} in instance-prices", type)};
    an_hour += *price * static_cast<double>(count);
  }
  if (!described.contains("BillableTimeInSeconds")) return {{}, "the job has not ended, or has never started"};
  return {an_hour * described["BillableTimeInSeconds"].get<double>() / 3600, "billable seconds x instance-prices"};
}

}  // namespace

ComparedJob CompareJob(const Json& described, const TrainingProgress& progress, std::vector<Curve> curves,
                       const InstancePrices& prices, std::optional<int64_t> batch_size) {
  const auto instances = InstancesOf(described);
  ComparedJob job;
  job.name = described["TrainingJobName"];
  job.status = described["TrainingJobStatus"];
  job.instances = ToText(instances);
  job.first_step = FirstStep(progress, curves, described["CreationTime"].get<double>());
  job.epochs = EpochSeconds(progress);
  job.epoch = MedianEpoch(job.epochs);
  job.images_per_second =
      ImagesPerSecond(described, StepSeconds(progress, curves), Ranks(described, instances), batch_size);
  job.billable = Billable(described, instances);
  job.cost = Cost(described, instances, prices);
  for (const auto& metric : described.value("FinalMetricDataList", Json::array()))
    job.final_metrics.emplace_back(metric["MetricName"], metric["Value"]);
  job.curves = std::move(curves);
  return job;
}

std::vector<std::string> CurveNames(const std::vector<ComparedJob>& jobs) {
  std::vector<std::string> names;
  for (const ComparedJob& job : jobs)
    for (const Curve& curve : job.curves)
      if (std::find(names.begin(), names.end(), curve.metric) == names.end()) names.push_back(curve.metric);
  return names;
}

const Curve* FindCurve(const ComparedJob& job, const std::string& metric) {
  for (const Curve& curve : job.curves)
    if (curve.metric == metric) return &curve;
  return nullptr;
}

}  // namespace headrace::apps::comparison
