// Rendezvous: the ranks find out who is on which machine, and share the machine's memory and processors.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "horovod/settings.h"
#include "horovod/shm/machine.h"
#include "horovod/transport.h"

namespace headrace::hvd {

// Everyone's text, by rank.
using ExchangeTexts = std::function<Result<std::vector<std::string>>(const std::string&)>;

struct Topology {
  std::vector<std::string> hosts;          // by rank
  std::vector<std::vector<int>> machines;  // the ranks of each machine, ascending; by their first rank
  int machine = 0;                         // this rank's
  int index = 0;                           // this rank among those of its machine
  const std::vector<int>& neighbours() const { return machines[static_cast<size_t>(machine)]; }
};

struct Meeting {
  Topology topology;
  std::unique_ptr<Machine> machine;
};

// Where a rank looks for its neighbours. Two ranks are on one machine when both run under the same kernel and can open
// the same file in the directory.
struct Surroundings {
  std::string kernel;     // /proc/sys/kernel/random/boot_id
  std::string directory;  // SharedMemoryDirectory()
  static Surroundings OfThisProcess();
};

// All ranks call it.
Result<Meeting> Meet(Transport& transport, const Surroundings& surroundings, const Settings& settings,
                     const Clock& clock);

// A segment that all ranks of a machine map; each machine has its own. All ranks call it with the same number of bytes.
// What fails on one rank is an error on all.
Result<Segment> ShareSegment(const ExchangeTexts& exchange, const Topology& topology, const std::string& directory,
                             size_t bytes);

// The calling process takes its share of the machine's processors. True when no other rank has one of them.
Result<bool> ShareProcessors(const ExchangeTexts& exchange, const Topology& topology);

}  // namespace headrace::hvd
