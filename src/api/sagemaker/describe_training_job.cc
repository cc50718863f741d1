#include <algorithm>
#include <cmath>

#include "api/input.h"
#include "api/sagemaker/operations.h"
#include "api/sagemaker/training_job_shape.h"

namespace headrace::api::sagemaker {
namespace {

constexpr size_t kLongestFailureReason = 1024;

// At most `longest` bytes, never half a character.
std::string Shortened(std::string text, size_t longest) {
  if (text.size() <= longest) return text;
  while (longest > 0 && (static_cast<unsigned char>(text[longest]) & 0xc0) == 0x80) --longest;
  text.resize(longest);
  return text;
}

Json Transitions(const store::TrainingJob& job) {
  Json list = Json::array();
  for (const auto& transition : job.transitions) {
    Json entry{
        {"Status", transition.status}, {"StartTime", Seconds(transition.start)}, {"StatusMessage", transition.message}};
    if (transition.end != 0) entry["EndTime"] = Seconds(transition.end);
    list.push_back(std::move(entry));
  }
  return list;
}

Json FinalMetrics(const store::TrainingJob& job) {
  Json list = Json::array();
  for (const auto& metric : job.final_metrics) {
    if (!std::isfinite(metric.value)) continue;
    list.push_back({{"MetricName", metric.name}, {"Value", metric.value}, {"Timestamp", Seconds(metric.time)}});
  }
  return list;
}

void AddTimes(const store::TrainingJob& job, Json& reply) {
  reply["CreationTime"] = Seconds(job.created);
  reply["LastModifiedTime"] = Seconds(job.modified);
  if (job.training_start != 0) reply["TrainingStartTime"] = Seconds(job.training_start);
  if (job.training_end == 0) return;
  reply["TrainingEndTime"] = Seconds(job.training_end);
  if (job.training_start == 0) return;
  const int64_t seconds = (job.training_end - job.training_start + 999) / 1000;
  reply["TrainingTimeInSeconds"] = std::max<int64_t>(seconds, 1);
  reply["BillableTimeInSeconds"] = std::max<int64_t>(seconds, 1);
}

}  // namespace

Reply<Json> DescribeTrainingJob(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"TrainingJobName", TrainingJobNameShape(), true}});
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto job, FindTrainingJob(options, call, input["TrainingJobName"]));

  Json reply = Json::parse(job.request);  // everything the request said, fields newer than us included
  reply["TrainingJobArn"] = job.arn;
  reply["TrainingJobStatus"] = job.status;
  reply["SecondaryStatus"] = job.secondary_status;
  reply["SecondaryStatusTransitions"] = Transitions(job);
  reply["ModelArtifacts"] = {
      {"S3ModelArtifacts", job.model_artifacts.empty() ? ModelArtifactsUri(reply) : job.model_artifacts}};
  if (job.status == "Failed" && !job.failure_reason.empty()) {
    reply["FailureReason"] = Shortened(job.failure_reason, kLongestFailureReason);
  }
  AddTimes(job, reply);
  if (Json metrics = FinalMetrics(job); !metrics.empty()) reply["FinalMetricDataList"] = std::move(metrics);
  reply["ProfilingStatus"] = "Disabled";
  return reply;
}

}  // namespace headrace::api::sagemaker
