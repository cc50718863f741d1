// Settings: what Horovod's environment variables say, under their own names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace headrace::hvd {

struct Settings {
  // HOROVOD_STALL_CHECK_TIME_SECONDS: a rank that is missing for so long is named; 0 with HOROVOD_STALL_CHECK_DISABLE.
  int64_t stall_warning_ms = 10'000;
  // HOROVOD_STALL_SHUTDOWN_TIME_SECONDS: after so long waiting is an error; 0: never. Where only the warning's time is
  // set, at least six times that.
  int64_t stall_limit_ms = 60'000;
  // HOROVOD_FUSION_THRESHOLD: named allreduces that are ready together travel as one up to so many bytes; 0: each
  // alone.
  int64_t fusion_bytes = 64 << 20;
  // When one rank has given up: how long the others stay until the programs of all know why.
  int64_t parting_limit_ms = 1'000;
  // HOROVOD_CACHE_CAPACITY: so many named allreduces are remembered, and need no negotiation once they repeat; 0: none.
  int64_t cache_capacity = 1024;
  // HEADRACE_BIND_PROCESSORS: "0" leaves the processors of the ranks as mpirun gave them out.
  bool bind_processors = true;

  // kInvalidArgument names the variable, what it says and what it may say.
  static Result<Settings> FromEnvironment();
};

// The variables of Horovod that are set and that mean nothing here, each with the reason, for one line on rank 0.
std::vector<std::string> IgnoredVariables();

}  // namespace headrace::hvd
