// FairQueue: whose job is next. Accounts with waiting jobs take turns; within one account it is first come, first
// served. A job whose turn has come and that is too large for the cores that are free waits for them with nobody in
// front of it: however large, it is not overtaken for ever.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace headrace::jobs {

// The first waiting job of an account.
struct WaitingJob {
  std::string account, name;
  int64_t sequence = 0;  // order of creation over all accounts
};

class FairQueue {
 public:
  // Of the first waiting jobs of all accounts that have any, the one whose turn it is; the same one until it is taken
  // or waits no longer. An account that has had no turn yet comes before those that have, an older job before a
  // younger one.
  std::optional<WaitingJob> Next(const std::vector<WaitingJob>& first_of_each);
  // The job has been given its cores: the others' turn.
  void Taken(const WaitingJob& job);

 private:
  std::map<std::string, int64_t> last_turn_;
  int64_t turn_ = 0;
  std::optional<int64_t> chosen_;  // sequence
};

}  // namespace headrace::jobs
