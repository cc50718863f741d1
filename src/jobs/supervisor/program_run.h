// RunProgram: one program of a job from its start to its end: captures output, samples use, enforces limits, stops.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/clock.h"
#include "base/result.h"
#include "jobs/limits/cgroup.h"
#include "jobs/limits/disk_watch.h"
#include "jobs/process/child.h"
#include "jobs/supervisor/reporter.h"

namespace headrace::jobs {

struct RunOptions {
  bool sandboxed = false;         // the command is bubblewrap's: its own two processes are never signalled
  uint64_t memory_bytes = 0;      // 0: no limit
  uint64_t tasks = 0;             // processes and threads at once; 0: no limit
  const Cgroup* group = nullptr;  // limits what it can of the two; the rest is measured
  std::string shared_memory;      // a directory in memory whose files count where no group counts them; "": none
  DiskWatch* disk = nullptr;      // nullptr: no limit
  UnixMillis deadline = 0;        // 0: none
  int grace_seconds = 120;
  std::function<bool()> hurried = [] { return false; };  // the grace is a second: there is nothing to be saved
  int sample_millis = 0;                                 // 0: no samples
  std::string disk_path;                                 // whose file system is sampled
  std::function<bool()> stop_requested = [] { return false; };
  // Asked about every 50 ms while the program runs; a text ends the job with that failure. May be empty.
  std::function<std::string()> failed_meanwhile;
  // Asked about every 100 ms: the program's work is over, whatever still runs of it is killed. May be empty.
  std::function<bool()> over;
  std::function<void()> on_stopping = [] {};  // SIGTERM is about to be sent
  // Of the job's processes, those that SIGTERM is for: all, unless somebody else started them and would end the rest as
  // soon as one has gone.
  std::function<std::vector<pid_t>(std::vector<pid_t>)> to_ask = [](std::vector<pid_t> all) { return all; };
};

struct ProgramEnd {
  int exit_code = 0;
  int signal = 0;               // that killed it; 0: it exited
  bool stopped = false;         // because stop_requested
  bool timed_out = false;       // because of the deadline
  bool killed = false;          // did not end within the grace
  bool out_of_memory = false;   // killed by us at its limit, or by the kernel
  bool out_of_disk = false;     // killed by us; `failure` says why
  uint64_t refused_beyond = 0;  // the number of processes and threads above which some were refused; 0: none was
  std::string failure;          // of failed_meanwhile, or what limit was passed
  uint64_t peak_bytes = 0;

  bool succeeded() const { return exit_code == 0 && signal == 0; }
};

// `command` runs headrace-job-init when `has_init`. Afterwards no process of it is left. `clock` measures durations: it
// is best one that nobody sets.
Result<ProgramEnd> RunProgram(Command command, bool has_init, const RunOptions& options, Reporter& reporter,
                              const Clock& clock);

std::string SignalName(int signal);  // "SIGSEGV"

}  // namespace headrace::jobs
