// What the console's page of the server's health shows: what is used of this machine, by whom, and the versions of what
// runs here.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/clock.h"
#include "jobs/machine/core_pool.h"

namespace headrace::apps {

struct MachineReportOptions {
  std::string data_dir, supervisor;
  UnixMillis started = 0;  // the server
};

// Of processes those of `account` alone. Processor time is counted up: two reports tell how much was used between them.
nlohmann::json MachineReport(const MachineReportOptions& options, jobs::CorePool& cores, const std::string& account);

}  // namespace headrace::apps
