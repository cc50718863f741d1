// Executor: where the hosts of training jobs run. A host is one machine of a job, or the part of a machine that stands
// for one; it has a supervisor (jobs/supervisor/) that runs the job's program there and spools what there is to tell.
// Behind this seam are processes of this machine (local_executor.h) or a cluster's own scheduler; above it nobody knows
// process numbers, cores or paths of the machine that a host runs on.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jobs/directory/job_description.h"
#include "jobs/request/instance_types.h"

namespace headrace::jobs {

struct JobKey {
  std::string account, job;

  auto operator<=>(const JobKey&) const = default;
};

// One host of one attempt at a job.
struct HostKey {
  std::string account, job;
  int attempt = 0;
  std::string host = "algo-1";

  auto operator<=>(const HostKey&) const = default;
};

struct HostStart {
  HostKey key;
  // What the host's supervisor is to run; holds secrets. The executor adds what its machine has for it: cores, limits,
  // programs, the sandbox.
  JobDescription description;
};

// Numbers by which an executor finds the room of a host again. Only it knows what they mean.
using HostPlace = std::vector<int>;

// Nothing here waits for a host to come to where it is asked to go. It may be called by any thread, and is tied to no
// life of the platform: hosts outlive the process that started them, and another one asks about them by the same keys.
class Executor {
 public:
  virtual ~Executor() = default;

  // Before anything else; an error says why no host can ever be started.
  virtual Status Open() = 0;

  // Whether such hosts can ever run at the same time; the error, with the remedy, says why not.
  virtual Status Fits(const std::vector<InstanceSize>& hosts) const = 0;
  // Room for all hosts of a job, in their order, or for none: nullopt while it has to wait. Such room is the job's
  // until Release(). The error of Fits() for what will never fit.
  virtual Result<std::optional<std::vector<HostPlace>>> Reserve(const JobKey& job,
                                                                const std::vector<InstanceSize>& hosts) = 0;
  // The same for a job that an earlier process reserved room for, which goes on wherever it runs.
  virtual void Restore(const JobKey& job, const std::vector<InstanceSize>& hosts,
                       const std::vector<HostPlace>& places) = 0;
  // The job's programs have ended for good. Nothing for a job that has no room.
  virtual void Release(const JobKey& job) = 0;
  // What a job waits for: "4 of this machine's 8 cores".
  virtual std::string Wanted(const std::vector<InstanceSize>& hosts) const = 0;

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

  // Takes away what hosts have left that ended in a bad way. To be called now and then.
  virtual void Tidy() = 0;
};

}  // namespace headrace::jobs
