#include "jobs/supervisor/stop_request.h"

namespace headrace::jobs {

bool StopRequest::Requested() {
  if (requested()) return true;
  if (Asked())
    stopped_ = true;
  else if (host_.StopRequested())
    alone_ = true;
  else if (HasCome(deadline_, Moment::Now()))
    timed_out_ = true;
  return requested();
}

bool StopRequest::Pending() const {
  return requested() || Asked() || host_.StopRequested() || HasCome(deadline_, Moment::Now());
}

}  // namespace headrace::jobs
