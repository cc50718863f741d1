// What runs here for an account, as the system's list of processes shows it.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "jobs/process/process_tree.h"

namespace headrace::apps {

struct TenantProcess {
  std::string kind;       // "TrainingJob", "Endpoint", "TransformJob"
  std::string name;       // of the job or endpoint
  std::string host;       // of a training job's: "algo-1"
  pid_t pid = 0;          // the first of its processes
  jobs::TreeUsage usage;  // of it and all below
};

// The supervisors of jobs, which outlive this process, and what this process has started for endpoints and batch
// transform. A process that a tenant has started is none of them, whatever it calls itself.
std::vector<TenantProcess> TenantProcesses(const std::string& data_dir, const std::string& supervisor,
                                           const std::string& account);

// Kind and name of what the command line of such a process is about: the first argument that lies in the place of one
// of the account's jobs or endpoints; an empty kind without one.
TenantProcess SubjectOf(const std::vector<std::string>& words, const std::string& data_dir, const std::string& account);

}  // namespace headrace::apps
