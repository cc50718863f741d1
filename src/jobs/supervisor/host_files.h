// HostFiles: what a job finds on its host before anything runs: empty directories, the files of SageMaker's contract,
// names of hosts, tools.
#pragma once

#include <string>

#include "base/result.h"
#include "jobs/directory/host_directory.h"
#include "jobs/directory/job_description.h"

namespace headrace::jobs {

class HostFiles {
 public:
  HostFiles(const JobDescription& job, const HostDirectory& directory) : job_(job), directory_(directory) {}

  // Where a process of an earlier attempt ran nothing is trusted: the directories are new ones.
  Status Make() const;

 private:
  Status Discard() const;
  Status WriteHosts() const;
  Status WriteTools() const;
  Status WriteTool(const std::string& name, const std::string& command) const;

  const JobDescription& job_;
  const HostDirectory& directory_;
};

}  // namespace headrace::jobs
