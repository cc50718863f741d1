#include "jobs/request/training_status.h"

#include <iterator>

namespace headrace::jobs {
namespace {

// In the order of the enumerations.
constexpr std::string_view kStatuses[] = {"InProgress", "Completed", "Failed", "Stopping", "Stopped"};
constexpr std::string_view kSecondaries[] = {"Starting",           "Pending",    "Downloading", "Training",
                                             "Uploading",          "Restarting", "Stopping",    "Stopped",
                                             "MaxRuntimeExceeded", "Completed",  "Failed"};

static_assert(std::size(kStatuses) == static_cast<size_t>(TrainingStatus::kStopped) + 1);
static_assert(std::size(kSecondaries) == static_cast<size_t>(SecondaryStatus::kFailed) + 1);

template <typename Status, size_t kCount>
std::optional<Status> Find(const std::string_view (&texts)[kCount], std::string_view text) {
  for (size_t i = 0; i < kCount; ++i)
    if (texts[i] == text) return static_cast<Status>(i);
  return std::nullopt;
}

}  // namespace

std::string_view Text(TrainingStatus status) { return kStatuses[static_cast<size_t>(status)]; }
std::string_view Text(SecondaryStatus status) { return kSecondaries[static_cast<size_t>(status)]; }

std::optional<TrainingStatus> TrainingStatusOf(std::string_view text) { return Find<TrainingStatus>(kStatuses, text); }
std::optional<SecondaryStatus> SecondaryStatusOf(std::string_view text) {
  return Find<SecondaryStatus>(kSecondaries, text);
}

}  // namespace headrace::jobs
