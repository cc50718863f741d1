// StopRequest: whether a job is to end before it is done, and why.
#pragma once

#include <atomic>
#include <functional>

#include "jobs/directory/job_directory.h"
#include "jobs/limits/moment.h"

namespace headrace::jobs {

class StopRequest {
 public:
  // `signalled` tells of a signal that asks this process to end.
  StopRequest(const JobDirectory& directory, Moment deadline, std::function<bool()> signalled)
      : directory_(directory), deadline_(std::move(deadline)), signalled_(std::move(signalled)) {}

  // Whether the job is to end now; once it is, it stays so. Any thread.
  bool Requested();
  // The same, but the job may still end as if nobody had asked.
  bool Pending() const;

  bool stopped() const { return stopped_; }      // somebody asked for it
  bool timed_out() const { return timed_out_; }  // MaxRuntimeInSeconds is over
  bool requested() const { return stopped_ || timed_out_; }

 private:
  bool Asked() const { return signalled_() || directory_.StopRequested(); }

  const JobDirectory& directory_;
  const Moment deadline_;
  const std::function<bool()> signalled_;
  std::atomic<bool> stopped_{false}, timed_out_{false};
};

}  // namespace headrace::jobs
