// Where a sandbox's mounts go, when that is inside of what a job may write to.
#pragma once

#include "base/result.h"
#include "jobs/sandbox/sandbox.h"

namespace headrace::jobs {

// Makes the files and directories that read-only paths and mounts are put on, as far as they lie below a writable
// mount: bubblewrap would make them, too, but follow the links that a program of the job may have left there. Call it
// when no process of the job runs. kInvalidArgument when there is something else in a place.
Status MakeMountPoints(const SandboxOptions& options);

}  // namespace headrace::jobs
