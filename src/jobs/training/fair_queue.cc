#include "jobs/training/fair_queue.h"

#include <algorithm>
#include <tuple>

namespace headrace::jobs {

std::optional<WaitingJob> FairQueue::Next(const std::vector<WaitingJob>& first_of_each) {
  if (first_of_each.empty()) return std::nullopt;
  const auto is_chosen = [this](const WaitingJob& job) { return chosen_ == job.sequence; };
  auto next = std::find_if(first_of_each.begin(), first_of_each.end(), is_chosen);
  if (next == first_of_each.end()) {
    const auto turn = [this](const WaitingJob& job) {
      const auto had = last_turn_.find(job.account);
      return std::tuple(had == last_turn_.end() ? 0 : had->second, job.sequence);
    };
    next = std::min_element(first_of_each.begin(), first_of_each.end(),
                            [&](const WaitingJob& one, const WaitingJob& other) { return turn(one) < turn(other); });
  }
  chosen_ = next->sequence;
  return *next;
}

void FairQueue::Taken(const WaitingJob& job) {
  last_turn_[job.account] = ++turn_;
  chosen_.reset();
}

}  // namespace headrace::jobs
