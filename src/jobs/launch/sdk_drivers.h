// Jobs of the SageMaker Python SDK, version 3: scripts of its own, which come as the channel sm_drivers, start the
// program. With `distributed=MPI(…)` they would have every instance run sshd and every rank start through ssh. Hosts of
// a job here have launch doors (launch_door.h): mpi_utils.py, which holds all that, gives way to one that uses them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/beneath.h"
#include "base/result.h"
#include "jobs/request/distribution.h"

namespace headrace::jobs {

// What the drivers below `ml`, as they were staged, are told to start on so many hosts. nullopt: no ranks.
// kInvalidArgument when that cannot be read.
Result<std::optional<MpiDistribution>> MpiOfSdkDrivers(const HeldDirectory& ml, int hosts);

// Lets them start ranks as the platform does.
Status TakeOverSdkDrivers(const HeldDirectory& ml);

// Lets them meet at `port` of the first host, where they all say 7777: hosts of all jobs share this machine's ports.
// Nothing is done to scripts that do not say so.
Status MoveSdkPort(const HeldDirectory& ml, int port);

// The variable that tells them how. `mpirun`: the words before the program, none where it runs once and alone.
// `door`: what a host that is not the first becomes.
inline constexpr const char* kSdkLaunchVariable = "HEADRACE_MPI_LAUNCH";
std::string SdkLaunch(const std::vector<std::string>& mpirun, const std::vector<std::string>& door);

}  // namespace headrace::jobs
