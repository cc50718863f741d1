#include "jobs/supervisor/stop_request.h"

namespace headrace::jobs {

bool StopRequest::Requested() {
  if (requested()) return true;
  if (Asked())
    stopped_ = true;
  else if (clock_.Now() >= deadline_)
    timed_out_ = true;
  return requested();
}

bool StopRequest::Pending() const { return requested() || Asked() || clock_.Now() >= deadline_; }

}  // namespace headrace::jobs
