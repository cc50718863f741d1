// JobContext: what all phases of a job work with. Owned by the supervisor, which outlives them.
#pragma once

#include "base/clock.h"
#include "jobs/directory/host_directory.h"
#include "jobs/directory/job_description.h"
#include "jobs/limits/job_limits.h"
#include "jobs/supervisor/job_view.h"
#include "jobs/supervisor/reporter.h"
#include "jobs/supervisor/stop_request.h"

namespace headrace::jobs {

struct JobContext {
  const JobDescription& job;
  const HostDirectory& directory;
  const Clock& clock;   // of the wall: for dates
  const Clock& steady;  // nobody sets it: for how long something takes
  Reporter& reporter;
  JobLimits& limits;
  JobView& view;
  StopRequest& stop;
};

}  // namespace headrace::jobs
