// What SageMaker's training containers find: the files under input/config and the SM_ variables.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/beneath.h"
#include "base/result.h"
#include "jobs/directory/job_description.h"

namespace headrace::jobs {

// Makes the directories of /opt/ml and writes input/config. `ml` is /opt/ml on this machine.
Status WriteContractFiles(const JobDescription& job, const HeldDirectory& ml);

struct Program {
  std::string entry_point;             // file name; "" for a plain command
  std::string module_dir;              // sagemaker_submit_directory
  std::vector<std::string> arguments;  // of the user's program
};

// All variables of the program but PATH and HOME. `ml` is /opt/ml as the program sees it, `packages` where it sees what
// requirements.txt has asked for.
std::map<std::string, std::string> ContractVariables(const JobDescription& job, const Program& program,
                                                     const std::string& ml, const std::string& packages);

}  // namespace headrace::jobs
