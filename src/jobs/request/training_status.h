// The statuses of a training job, as SageMaker has them. Rows of the database, spool files and answers hold their text;
// whoever decides by a status compares these.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace headrace::jobs {

enum class TrainingStatus { kInProgress, kCompleted, kFailed, kStopping, kStopped };
using TransformStatus = TrainingStatus;  // a transform job has the same

enum class SecondaryStatus {
  kStarting,
  kPending,  // it waits for cores
  kDownloading,
  kTraining,
  kUploading,
  kRestarting,
  kStopping,
  kStopped,
  kMaxRuntimeExceeded,
  kCompleted,
  kFailed,
};

std::string_view Text(TrainingStatus status);
std::string_view Text(SecondaryStatus status);
// nullopt for a text that is none of them.
std::optional<TrainingStatus> TrainingStatusOf(std::string_view text);
std::optional<SecondaryStatus> SecondaryStatusOf(std::string_view text);

// How a job, or one host of it, has ended: Completed, Stopped or Failed; Stopped with the secondary status Stopped or
// MaxRuntimeExceeded, the others with the one of their own name.
struct JobEnd {
  TrainingStatus status = TrainingStatus::kCompleted;
  SecondaryStatus secondary = SecondaryStatus::kCompleted;
  std::string reason;  // of a failure

  static JobEnd Completed() { return {}; }
  static JobEnd Stopped() { return {TrainingStatus::kStopped, SecondaryStatus::kStopped, ""}; }
  static JobEnd MaxRuntimeExceeded() { return {TrainingStatus::kStopped, SecondaryStatus::kMaxRuntimeExceeded, ""}; }
  static JobEnd Failed(std::string reason) {
    return {TrainingStatus::kFailed, SecondaryStatus::kFailed, std::move(reason)};
  }
  bool failed() const { return status == TrainingStatus::kFailed; }
};

// From texts that a spool file or a row has. What is no end becomes a failure that says so.
JobEnd JobEndOf(std::string_view status, std::string_view secondary, std::string reason);

}  // namespace headrace::jobs
