// RankTags: what stands in front of the lines of ranks in a job's log.
#pragma once

#include <string>
#include <vector>

namespace headrace::jobs {

class RankTags {
 public:
  // Ranks are counted through host after host; 0 processes a host: nobody knows where they are.
  RankTags(std::vector<std::string> hosts, int processes_per_host)
      : hosts_(std::move(hosts)), processes_per_host_(processes_per_host) {}

  // "[1,mpirank:3,algo-2]<stdout>:", as SageMaker's containers show it; "[1,3]<stdout>:", as mpirun does, of a rank
  // whose host is not known. `stream`: "stdout" or "stderr".
  std::string Of(int rank, const char* stream) const;

 private:
  std::vector<std::string> hosts_;
  int processes_per_host_;
};

}  // namespace headrace::jobs
