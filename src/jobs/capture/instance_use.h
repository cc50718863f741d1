// InstanceUse: how much of a machine the processes of a job's or an endpoint's instance use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "jobs/process/process_tree.h"

namespace headrace::jobs {

// In percent.
struct InstanceUse {
  double cpu = 0;              // of one core: four busy cores are 400
  double memory = 0;           // of the instance's
  std::optional<double> disk;  // of the file system's, whoever uses it; none: not looked at, and not told
};

class UseSampler {
 public:
  // For processes whose counters stood at 0 at `since`. `memory_bytes`: what the instance may use, 0 for all; never
  // more than the machine has. `disk_path`: whose file system is looked at, "" for none.
  UseSampler(UnixMillis since, uint64_t memory_bytes, std::string disk_path);

  // Processor time since the call before, or since `since`; memory and disk as they are.
  InstanceUse Sample(UnixMillis now, const TreeUsage& usage);

 private:
  UnixMillis before_;
  uint64_t ticks_before_ = 0;
  uint64_t memory_bytes_;
  std::string disk_path_;
};

}  // namespace headrace::jobs
