// Sandbox: what a job's processes see of the machine. With bubblewrap: what programs need of the system
// (system_view.h), read-only, the job's own /opt/ml, /tmp and home, its own process ids and host name, and nothing of
// the platform's data or of other jobs. No capabilities, and no system calls that only administrators need (seccomp.h).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "jobs/process/child.h"

namespace headrace::jobs {

struct Mount {
  std::string source, target;  // the target is a path inside
  bool writable = false;
};

struct SandboxOptions {
  std::string home;  // what the job sees as /root, writable; "" for none
  std::vector<Mount> mounts;
  std::vector<std::string> read_only;  // seen at their own path when they exist, also below a mount's target
  std::vector<std::string> hidden;     // never seen, even below something that is
  std::string host_name = "algo-1";
  bool network = true;        // false: an empty network of its own
  uint64_t memory_files = 0;  // bytes of a /tmp in memory; 0: there is only what mounts show
};

// The command that runs `inside` in a sandbox. Its directory and program are paths inside. Every process in it dies
// with the command. Nothing of `inside` reaches a process outside the sandbox: bubblewrap has an environment of its
// own, and what it is told of the variables stands in no command line.
Command Sandboxed(const Command& inside, const SandboxOptions& options);

// Takes bubblewrap's own two processes out of a list: the monitor, which is the command's process, and the first one
// inside.
void LeaveOutSandbox(pid_t monitor, std::vector<pid_t>& processes);

// Whether bubblewrap can make such sandboxes here; the error says why not.
Status ProbeBubblewrap();

}  // namespace headrace::jobs
