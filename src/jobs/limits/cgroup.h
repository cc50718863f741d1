// Cgroup: a control group of the kernel's for the processes of one job or one model server. The kernel then bounds
// their memory (files in /dev/shm and other memory that no process has mapped included) and their number. Groups can be
// made with version 2 where a part of the tree is ours (root, or a service with Delegate=yes), and with version 1 for
// root; where they cannot, the caller measures instead.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/descriptor.h"

namespace headrace::jobs {

struct GroupLimits {
  uint64_t memory_bytes = 0;  // 0: none
  uint64_t tasks = 0;         // processes and threads together; 0: none
};

class Cgroup {
 public:
  // A group of no kind: it limits nothing.
  Cgroup() = default;
  // What cannot be limited here is not: ask limits_memory() and limits_tasks().
  explicit Cgroup(const GroupLimits& limits);
  Cgroup(Cgroup&& other) noexcept { Swap(other); }
  Cgroup& operator=(Cgroup&& other) noexcept {
    Swap(other);
    return *this;
  }
  ~Cgroup();  // ends what is still in it

  bool limits_memory() const { return !memory_.empty(); }
  bool limits_tasks() const { return !tasks_.empty(); }
  const char* kind() const { return version_ == 2 ? "cgroup v2" : "cgroup v1"; }
  // A process that writes 0 into each of these files is in the group from then on, and so is what it starts.
  const std::vector<std::string>& entrances() const { return entrances_; }

  uint64_t MemoryBytes() const;   // that cannot be had back by forgetting what is on disk
  uint64_t OomKills() const;      // processes that the kernel has ended because the group was at its limit
  uint64_t RefusedForks() const;  // processes and threads that were not made because the group was at its limit
  void KillAll() const;           // until none is left, within a second

  // Makes version 2 usable for this process and those it starts: call it once, early. It may move this process into a
  // group beside those of the jobs, because the kernel wants processes only in the leaves.
  static void PrepareMachine();
  // Ends and removes the groups of processes that have ended without doing so.
  static void RemoveLeft();

 private:
  void Swap(Cgroup& other) noexcept;
  bool MakeVersion2(const GroupLimits& limits);
  void MakeVersion1(const GroupLimits& limits);

  int version_ = 0;
  std::string memory_, tasks_;  // the group's directories, "" where it does not limit that; the same one in version 2
  std::vector<std::string> entrances_;
  std::vector<Descriptor> locks_;  // of the groups, while they are ours
};

}  // namespace headrace::jobs
