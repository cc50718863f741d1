// What an instance type promises: the sizes of the ml.* families, which become a job's limits on this machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace headrace::jobs {

struct InstanceSize {
  int cpus = 0;
  uint64_t memory_bytes = 0;
};

// nullopt for a name of no known family or size. "local" is the whole machine (0 cpus, 0 bytes).
std::optional<InstanceSize> SizeOfInstance(std::string_view instance_type);

// No job or model server gets more memory than this, whatever it was promised: a part of this machine's is kept for
// the platform and everybody else.
uint64_t MostMemoryOfOne();
// Processes and threads that a job on so many cores may have at once.
uint64_t TasksFor(uint64_t cores);

}  // namespace headrace::jobs
