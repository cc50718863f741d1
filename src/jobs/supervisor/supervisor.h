// The supervisor: the process that runs one host of a job, `headrace-supervise JOBDIR HOST`. It needs nothing but the
// directory, and the platform learns everything from it: docs/formats/job-directory.md.
#pragma once

#include <string>

#include "base/result.h"

namespace headrace::jobs {

// Runs the host's part of the job to its end; the outcome is in the spool. An error means that there was nothing to run
// or no way to tell about it: no readable job.json, another supervisor at work. Changes this process (session,
// signals): call it in main.
Status Supervise(const std::string& job_directory, const std::string& host);

}  // namespace headrace::jobs
