// ThreadWorld: a job whose ranks are threads of this process, for tests of whatever uses a Communicator. All but the
// messages is what processes use: the same shared memory, kernels, negotiation and waits.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "horovod/communicator.h"
#include "horovod/settings.h"

namespace headrace::hvd {

struct ThreadWorldOptions {
  Settings settings;
  std::vector<std::string> machines;  // by rank, names; empty: all on one
  std::vector<std::string> hosts;     // by rank, names; empty: each machine is one
};

// Runs `program` once a rank, at the same time, and returns when all have come back. What one throws is thrown here
// once all have come back.
void RunThreadWorld(int ranks, const std::function<void(Communicator&)>& program,
                    const ThreadWorldOptions& options = {});

}  // namespace headrace::hvd
