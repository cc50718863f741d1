// StopRequest: whether a host's part of a job is to end before it is done, and why.
#pragma once

#include <atomic>
#include <functional>

#include "jobs/directory/job_directory.h"
#include "jobs/limits/moment.h"

namespace headrace::jobs {

class StopRequest {
 public:
  // `signalled` tells of a signal that asks this process to end.
  StopRequest(const JobDirectory& job, const HostDirectory& host, Moment deadline, std::function<bool()> signalled)
      : job_(job), host_(host), deadline_(std::move(deadline)), signalled_(std::move(signalled)) {}

  // Whether this host is to end now; once it is, it stays so. Any thread.
  bool Requested();
  // The same, but the host may still end as if nobody had asked.
  bool Pending() const;

  bool stopped() const { return stopped_; }      // somebody asked for it
  bool timed_out() const { return timed_out_; }  // MaxRuntimeInSeconds is over
  bool alone() const { return alone_; }          // other hosts of the job have failed: this one has nothing to save
  bool requested() const { return stopped_ || timed_out_ || alone_; }

 private:
  bool Asked() const { return signalled_() || job_.StopRequested(); }

  const JobDirectory& job_;
  const HostDirectory& host_;
  const Moment deadline_;
  const std::function<bool()> signalled_;
  std::atomic<bool> stopped_{false}, timed_out_{false}, alone_{false};
};

}  // namespace headrace::jobs
