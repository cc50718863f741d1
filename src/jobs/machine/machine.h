// Machine: what this machine has for the programs of tenants: training jobs, endpoints, batch transform. There is one,
// made where the server is put together; everything in it is found out once: cores and memory at once, the rest when it
// is first asked for.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "jobs/machine/core_pool.h"
#include "jobs/machine/port_pool.h"
#include "jobs/python/interpreters.h"

namespace headrace::jobs {

struct MachineOptions {
  int job_cores = 0;               // that training jobs may take together; 0: all
  bool sandbox = true;             // false: plain processes, even where bubblewrap works
  std::string python = "python3";  // the default interpreter
  std::string data_dir = {};       // where others are registered; "": nowhere
};

// Any thread.
class Machine {
 public:
  explicit Machine(MachineOptions options);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  CorePool& cores() { return cores_; }
  PortPool& ports() { return ports_; }
  // Whether programs run in sandboxes; the error says why they run as plain processes. That is in the log once.
  const Status& sandbox();
  // Which of them runs what.
  Interpreters& interpreters() { return interpreters_; }
  // No job or model server gets more memory than this, whatever it was promised: a part of this machine's is kept for
  // the platform and everybody else.
  uint64_t most_memory_of_one() const { return most_memory_of_one_; }

 private:
  const MachineOptions options_;
  CorePool cores_;
  PortPool ports_;
  const uint64_t most_memory_of_one_;
  std::once_flag sandbox_probed_;
  Status sandbox_;
  Interpreters interpreters_;
};

// Processes and threads that a job on so many cores may have at once.
uint64_t TasksFor(uint64_t cores);

}  // namespace headrace::jobs
