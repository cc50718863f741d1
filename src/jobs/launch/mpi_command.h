// mpirun's command line for the ranks of a job, as SageMaker's training toolkit writes it, with what sandboxes need.
#pragma once

#include <string>
#include <vector>

namespace headrace::jobs {

struct MpiCommand {
  std::string mpirun;              // absolute path
  std::vector<std::string> hosts;  // the first is where mpirun runs
  int processes_per_host = 1, processes = 1;
  std::string interface;  // that ranks speak over
  std::string init;       // headrace-job-init, as the sandboxes see it
  std::string doors;      // the directory of launch doors, as the first host sees it
  std::string ranks;      // where guards write, as every host sees it
  std::vector<std::string> custom_options;
};

// In front of the program's own words.
std::vector<std::string> MpirunWords(const MpiCommand& command);

}  // namespace headrace::jobs
