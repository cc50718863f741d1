// JobLimits: what one job may use, and what holds it to that on this machine.
#pragma once

#include <memory>
#include <string>

#include "jobs/directory/host_directory.h"
#include "jobs/directory/job_description.h"
#include "jobs/limits/cgroup.h"
#include "jobs/limits/disk_watch.h"

namespace headrace::jobs {

struct RunOptions;
struct ProgramEnd;

class JobLimits {
 public:
  JobLimits(const JobDescription& job, const HostDirectory& directory);

  // For each program of the job. The options refer to this object.
  void Bound(RunOptions& options);
  // How each ended.
  void Note(const ProgramEnd& end);
  bool out_of_disk() const { return out_of_disk_; }  // one of them
  // A line for the job's log: each limit and how it is enforced here.
  std::string Described() const;

 private:
  const JobDescription& job_;
  Cgroup group_;
  DiskWatch disk_;
  bool out_of_disk_ = false;
};

// Removes all that a job has on the disk but the lines of its log: its files first disappear together, so that none of
// them seems to have been deleted by the job.
void MakeRoom(const HostDirectory& directory, int attempt);

}  // namespace headrace::jobs
