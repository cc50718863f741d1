#include "jobs/request/training_status.h"

#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "jobs/request/enum_texts.h"

namespace headrace::jobs {
namespace {

// In the order of the enumerations.
constexpr std::string_view kStatuses[] = {"InProgress", "Completed", "Failed", "Stopping", "Stopped"};
constexpr std::string_view kSecondaries[] = {"Starting",           "Pending",    "Downloading", "Training",
                                             "Uploading",          "Restarting", "Stopping",    "Stopped",
                                             "MaxRuntimeExceeded", "Completed",  "Failed"};

static_assert(std::size(kStatuses) == static_cast<size_t>(TrainingStatus::kStopped) + 1);
static_assert(std::size(kSecondaries) == static_cast<size_t>(SecondaryStatus::kFailed) + 1);

}  // namespace

std::string_view Text(TrainingStatus status) { return kStatuses[static_cast<size_t>(status)]; }
std::string_view Text(SecondaryStatus status) { return kSecondaries[static_cast<size_t>(status)]; }

std::optional<TrainingStatus> TrainingStatusOf(std::string_view text) {
  return ValueOfText<TrainingStatus>(kStatuses, text);
}
std::optional<SecondaryStatus> SecondaryStatusOf(std::string_view text) {
  return ValueOfText<SecondaryStatus>(kSecondaries, text);
}

JobEnd JobEndOf(std::string_view status, std::string_view secondary, std::string reason) {
  const auto outcome = TrainingStatusOf(status);
  const auto detail = SecondaryStatusOf(secondary);
  const bool ended = outcome == TrainingStatus::kCompleted || outcome == TrainingStatus::kFailed ||
                     outcome == TrainingStatus::kStopped;
  if (ended && detail) return {*outcome, *detail, std::move(reason)};
  return JobEnd::Failed(
      fmt::format("InternalServerError: the job ended with '{}', '{}', which is no end of a job", status, secondary));
}

}  // namespace headrace::jobs
