// Tries whether an interpreter imports a framework, as a job would: in the sandbox, where there is one.
#pragma once

#include <string>
#include <vector>

#include "apps/platform/trial_run.h"
#include "jobs/python/framework.h"
#include "jobs/python/interpreter.h"

namespace headrace::apps {

struct FrameworkTrial {
  bool worked = false;
  std::string version;  // as the module itself says
  std::string said;     // why it did not work
};

// Takes as long as the import, seconds for most. `shown`: paths of this machine that jobs may read besides.
FrameworkTrial TryFramework(const TrialRun& trial, const jobs::Interpreter& interpreter,
                            const jobs::Framework& framework, std::vector<std::string> shown);

}  // namespace headrace::apps
