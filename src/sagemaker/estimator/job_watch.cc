#include "sagemaker/estimator/job_watch.h"

#include <fmt/format.h>

#include "aws/time.h"

namespace headrace::sagemaker {
namespace {

constexpr const char* kLogGroup = "/aws/sagemaker/TrainingJobs";

// 2026-01-02 03:04:05
std::string TimeText(double seconds) {
  std::string text = aws::Iso8601(static_cast<int64_t>(seconds) * 1000);
  text[10] = ' ';
  text.pop_back();
  return text;
}

}  // namespace

bool HasEnded(const std::string& status) { return status == "Completed" || status == "Failed" || status == "Stopped"; }

JobWatch::JobWatch(WatchOptions options, Ask ask)
    : options_(std::move(options)),
      ask_(std::move(ask)),
      log_(kLogGroup, options_.job_name + "/", options_.colour, ask_, options_.print) {}

bool JobWatch::Step() {
  job_ = ask_("sagemaker", "DescribeTrainingJob", {{"TrainingJobName", options_.job_name}});
  PrintTransitions();
  if (options_.logs) log_.Step();
  if (!HasEnded(TextMember(job_, "TrainingJobStatus"))) return true;
  // What the job wrote last may come into the log after its status.
  if (options_.logs && !std::exchange(ending_, true)) return true;
  PrintSeconds();
  return false;
}

void JobWatch::PrintTransitions() {
  const Json& transitions = ListMember(job_, "SecondaryStatusTransitions");
  if (transitions.empty()) return;
  const std::string message = TextMember(transitions.back(), "StatusMessage");
  // The last one again when only its message is new.
  const bool changed = transitions.size() == transitions_ && message != last_message_;
  for (size_t i = changed ? transitions_ - 1 : transitions_; i < transitions.size(); ++i) {
    const double time = i + 1 == transitions.size() ? NumberMember(job_, "LastModifiedTime")
                                                    : NumberMember(transitions[i], "StartTime");
    options_.print(fmt::format("{} {} - {}", TimeText(time), TextMember(transitions[i], "Status"),
                               TextMember(transitions[i], "StatusMessage")));
  }
  transitions_ = transitions.size();
  last_message_ = message;
}

void JobWatch::PrintSeconds() const {
  const auto count = static_cast<int64_t>(NumberMember(ObjectMember(job_, "ResourceConfig"), "InstanceCount", 1));
  const double training = NumberMember(job_, "TrainingTimeInSeconds", -1),
               billable = NumberMember(job_, "BillableTimeInSeconds", -1);
  if (training >= 0) options_.print(fmt::format("Training seconds: {}", static_cast<int64_t>(training) * count));
  if (billable >= 0) options_.print(fmt::format("Billable seconds: {}", static_cast<int64_t>(billable) * count));
  const auto spot = job_.find("EnableManagedSpotTraining");
  if (spot != job_.end() && *spot == true && training > 0 && billable >= 0)
    options_.print(fmt::format("Managed Spot Training savings: {:.1f}%", (1 - billable / training) * 100));
}

}  // namespace headrace::sagemaker
