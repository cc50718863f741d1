// One training job as the platform remembers it, and the rules by which its statuses move.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace headrace::store {

// A step of SecondaryStatus. `end` is 0 while it is the current one.
struct StatusTransition {
  std::string status;
  UnixMillis start = 0, end = 0;
  std::string message;
  bool operator==(const StatusTransition&) const = default;
};

struct FinalMetric {
  std::string name;
  double value = 0;
  UnixMillis time = 0;
  bool operator==(const FinalMetric&) const = default;
};

struct TrainingJob {
  int64_t sequence = 0;  // order of creation over all accounts; set by TrainingJobs::Insert
  std::string account_id, name, arn;
  std::string request = "{}";                 // CreateTrainingJob's input as JSON, echoed by DescribeTrainingJob
  std::string status = "InProgress";          // InProgress, Completed, Failed, Stopping, Stopped
  std::string secondary_status = "Starting";  // see MoveTo
  std::vector<StatusTransition> transitions;  // in time order, only ever appended to
  std::string failure_reason;                 // at most 1024 bytes when it is shown
  UnixMillis created = 0, modified = 0;
  UnixMillis training_start = 0, training_end = 0;  // 0: not yet
  std::string model_artifacts;                      // s3:// URI; empty: not uploaded (yet)
  std::vector<FinalMetric> final_metrics;           // the last value of each metric definition
  // What the job machinery itself remembers: ingest offsets, resolved inputs, process. JSON, opaque to everyone else.
  std::string state = "{}";
};

// Completed, Failed and Stopped: nothing moves any more.
bool IsTerminal(std::string_view status);

// Moves a job to a secondary status. The same status again replaces the message of the last transition, as clients that
// print progress expect; another one ends the last transition and appends. The times of transitions never run
// backwards.
void MoveTo(TrainingJob& job, std::string_view secondary_status, std::string_view message, UnixMillis now);

// MoveTo and, with it, the primary status: Completed, Failed, Stopped (also for MaxRuntimeExceeded) and Stopping.
// A terminal status sets training_end when it is not set, and ends the last transition.
void Finish(TrainingJob& job, std::string_view status, std::string_view secondary_status, std::string_view message,
            UnixMillis now);

}  // namespace headrace::store
