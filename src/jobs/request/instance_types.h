// What an instance type promises: the sizes of the ml.* families, which become a job's limits on this machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace headrace::jobs {

struct InstanceSize {
  int cpus = 0;
  uint64_t memory_bytes = 0;

  bool operator==(const InstanceSize&) const = default;
};

// nullopt for a name of no known family or size. "local" is the whole machine (0 cpus, 0 bytes).
std::optional<InstanceSize> SizeOfInstance(std::string_view instance_type);

}  // namespace headrace::jobs
