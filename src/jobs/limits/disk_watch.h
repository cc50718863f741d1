// DiskWatch: looks whether a job's files take more room than it was promised, or have filled the disk for everybody.
// A look at the file system's free space is cheap and comes often; the files are gone through only when that says that
// the job may be beyond its limit, and now and then, with a bounded part of a processor's time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "jobs/limits/disk_use.h"

namespace headrace::jobs {

struct DiskLimits {
  uint64_t bytes = 0;    // that the job's files may take; 0: no limit
  uint64_t reserve = 0;  // free bytes of the file system below which a job that has written much is ended; 0: none
};

// How it looks: the seam for tests.
struct DiskEyes {
  std::function<uint64_t()> free_bytes;                   // of the file system
  std::function<DiskUse(const std::vector<pid_t>&)> use;  // of the job's files
};

class DiskWatch {
 public:
  DiskWatch(DiskLimits limits, DiskEyes eyes) : limits_(limits), eyes_(std::move(eyes)) {}

  // At `now`, milliseconds of a clock that is never set. `processes` names the job's own. Why the job must end, as its
  // FailureReason; "" while it may go on.
  std::string Look(int64_t now, const std::function<std::vector<pid_t>()>& processes,
                   const std::function<int64_t()>& clock);
  bool full() const { return full_; }  // the last reason was that
  uint64_t used() const { return used_; }

 private:
  void Measure(int64_t now, const std::vector<pid_t>& processes, const std::function<int64_t()>& clock);

  const DiskLimits limits_;
  const DiskEyes eyes_;
  bool measured_ = false, full_ = false;
  uint64_t used_ = 0, used_at_first_ = 0, free_then_ = 0;
  int64_t next_glance_ = 0, next_measure_ = 0, earliest_measure_ = 0;
};

// Of the directory's file system; the largest number when that cannot be told.
uint64_t FreeBytes(const std::string& directory);
// What is kept free on the directory's file system for the platform itself.
uint64_t DiskReserve(const std::string& directory);

}  // namespace headrace::jobs
