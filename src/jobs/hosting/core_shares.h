// CoreShares: which cores the instances of all endpoints run on: as many as their type promises, as far as the machine
// goes, and those that have the fewest others on them.
#pragma once

#include <map>
#include <mutex>
#include <vector>

namespace headrace::jobs {

class CoreShares {
 public:
  CoreShares();  // of the cores this process may use

  // `count` cores, or all when there are fewer; 0: all.
  std::vector<int> Take(int count);
  void GiveBack(const std::vector<int>& cores);

 private:
  std::mutex mutex_;
  std::map<int, int> users_;  // of each core
};

}  // namespace headrace::jobs
