// Programs that cannot run, told before their job is taken: a client that waits looks at a job half a minute after it
// has failed.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "base/result.h"
#include "jobs/python/interpreters.h"
#include "jobs/request/training_request.h"

namespace headrace::jobs {

// kFailedPrecondition, with what helps, when the job's program is Python whose first lines import the framework that
// its image asks for, and neither an interpreter of this machine has that nor does the source bring or install it.
// `source` is the source's archive; one that cannot be read is the job's to complain of.
Status CheckProgram(Interpreters& interpreters, const TrainingRequest& request, Descriptor source);

// Modules that a program imports whatever happens: those of import statements at the beginning of a line.
std::set<std::string> ImportsOf(std::string_view program);

}  // namespace headrace::jobs
