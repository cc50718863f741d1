// Processes of a job: its program, and the steps that prepare it. The first of them ends the platform's trust in what
// lies in the job's directories.
#pragma once

#include "base/result.h"
#include "jobs/supervisor/job_context.h"
#include "jobs/supervisor/program_run.h"

namespace headrace::jobs {

// Written before the first process of the tenant's starts: another attempt begins with empty directories.
Status MarkTenantsProcess(const JobContext& context);

// What the job's program may use, and how it is stopped.
RunOptions LimitsOf(const JobContext& context);

// Runs a command that prepares the program: compilers, pip. kUnavailable when the job was stopped meanwhile.
Result<ProgramEnd> RunStep(const JobContext& context, const Command& command);

}  // namespace headrace::jobs
