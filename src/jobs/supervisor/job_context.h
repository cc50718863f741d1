// JobContext: what all phases of a job work with. Owned by the supervisor, which outlives them.
#pragma once

#include "base/clock.h"
#include "jobs/directory/job_description.h"
#include "jobs/directory/job_directory.h"
#include "jobs/supervisor/job_view.h"
#include "jobs/supervisor/reporter.h"
#include "jobs/supervisor/stop_request.h"

namespace headrace::jobs {

struct JobContext {
  const JobDescription& job;
  const JobDirectory& directory;
  const Clock& clock;
  Reporter& reporter;
  JobView& view;
  StopRequest& stop;
};

}  // namespace headrace::jobs
