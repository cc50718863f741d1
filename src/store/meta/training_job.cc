#include "store/meta/training_job.h"

#include <algorithm>

namespace headrace::store {

bool IsTerminal(std::string_view status) { return status == "Completed" || status == "Failed" || status == "Stopped"; }

void MoveTo(TrainingJob& job, std::string_view secondary_status, std::string_view message, UnixMillis now) {
  job.secondary_status = secondary_status;
  job.modified = std::max(job.modified, now);
  if (!job.transitions.empty() && job.transitions.back().status == secondary_status) {
    job.transitions.back().message = message;
    return;
  }
  if (!job.transitions.empty()) {
    auto& last = job.transitions.back();
    now = std::max(now, last.start);
    last.end = now;
  }
  job.transitions.push_back({std::string(secondary_status), now, 0, std::string(message)});
}

void Finish(TrainingJob& job, std::string_view status, std::string_view secondary_status, std::string_view message,
            UnixMillis now) {
  MoveTo(job, secondary_status, message, now);
  job.status = status;
  if (!IsTerminal(status)) return;
  if (job.training_start != 0 && job.training_end == 0) job.training_end = std::max(now, job.training_start);
  auto& last = job.transitions.back();
  last.end = std::max(now, last.start);
}

}  // namespace headrace::store
