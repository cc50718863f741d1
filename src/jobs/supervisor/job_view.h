// JobView: how a job's processes see their files, and the commands that put them there.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "jobs/directory/host_directory.h"
#include "jobs/directory/job_description.h"
#include "jobs/sandbox/sandbox.h"

namespace headrace::jobs {

class JobView {
 public:
  JobView(const JobDescription& job, const HostDirectory& directory);

  bool sandboxed() const { return sandboxed_; }
  // /opt/ml as the program sees it.
  const std::string& ml() const { return ml_; }
  std::string code() const { return ml_ + "/code"; }
  // Where the program sees what its requirements.txt has asked for: modules/, bin/. Nothing need be there.
  std::string packages() const;
  // headrace-job-init as the program sees it.
  std::string init() const;
  // PATH and HOME of the program.
  std::map<std::string, std::string> Surroundings() const;

  // Shows `source` to the program, and returns the path under which it sees it.
  std::string Show(const std::string& source, const std::string& target, bool writable);

  // The command that runs `inside`, whose paths are the program's, as a process of the job.
  // `more` is shown to this process alone.
  Command Wrap(Command inside, const std::vector<Mount>& more = {}) const;
  // The same for a tool whose paths are this machine's: it may read `readable` and write `writable`, and nothing else
  // of the platform.
  Command WrapTool(Command tool, const std::vector<std::string>& readable,
                   const std::vector<std::string>& writable) const;
  // Whether this installation has what every process of a job is started by.
  Status Check() const;

 private:
  void ShowReadOnly(const std::string& path);
  std::vector<std::string> PathsOfPython() const;
  void Translate(std::map<std::string, std::string>& environment) const;
  Command WithInit(Command inside, const std::string& init) const;

  const JobDescription& job_;
  const HostDirectory& directory_;
  const bool sandboxed_, bound_;  // bound: /opt/ml is the job's own without a sandbox
  std::string ml_;
  SandboxOptions options_;
  std::vector<Mount> moved_;
};

}  // namespace headrace::jobs
