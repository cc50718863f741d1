// Executor: where the hosts of training jobs run. A host is one machine of a job, or the part of a machine that stands
// for one; it has a supervisor (jobs/supervisor/) that runs the job's program there and spools what there is to tell.
// Behind this seam are processes of this machine (local_executor.h) or a cluster's own scheduler; above it nobody knows
// process numbers, cores or paths of the machine that a host runs on.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"
#include "jobs/directory/job_description.h"

namespace headrace::jobs {

// One host of one attempt at a job.
struct HostKey {
  std::string account, job;
  int attempt = 0;
  std::string host = "algo-1";

  auto operator<=>(const HostKey&) const = default;
};

struct HostStart {
  HostKey key;
  JobDescription description;  // what the host's supervisor is to run; holds secrets
};

// Nothing here waits for a host to come to where it is asked to go. It may be called by any thread, and is tied to no
// life of the platform: hosts outlive the process that started them, and another one asks about them by the same keys.
class Executor {
 public:
  virtual ~Executor() = default;

  // Begins to start the host. One that runs already, or that ran and has ended, is left as it is: after a crash of the
  // platform this may be called again for every host of which the platform does not know whether it was started.
  virtual Status Start(const HostStart& start) = 0;

  // Whether the host may still do something: true from Start on, also while it waits for its machine or has not begun
  // yet, until none of its processes is left. Of a host that was never started: false.
  virtual bool Alive(const HostKey& key) = 0;

  // Ends the host by force, with all processes of its job; `why` is for the log. Alive tells when it is over. Wishes,
  // which a program may take its time for, go another way: JobDirectory::RequestStop.
  virtual void Stop(const HostKey& key, std::string_view why) = 0;

  // Nobody will ask about the host again: what is remembered of it can go. It is not alive.
  virtual void Forget(const HostKey& key) = 0;
};

}  // namespace headrace::jobs
