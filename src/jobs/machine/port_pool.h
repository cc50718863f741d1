// PortPool: ports of this machine for the hosts of jobs that listen for each other. They share its loopback, so no two
// jobs may be given the same.
#pragma once

#include <mutex>
#include <set>
#include <vector>

namespace headrace::jobs {

// Any thread.
class PortPool {
 public:
  PortPool();

  // So many that nobody listens at now and that nobody else has been given; none when there are not so many.
  std::vector<int> Take(size_t count);
  void GiveBack(const std::vector<int>& ports);

 private:
  std::mutex mutex_;
  int next_;  // to be tried
  std::set<int> taken_;
};

}  // namespace headrace::jobs
