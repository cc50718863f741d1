#include "jobs/machine/core_pool.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/processors.h"

namespace headrace::jobs {

CoreLease::CoreLease(CoreLease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)), places_(std::move(other.places_)), alone_(other.alone_) {
  other.places_.clear();
}

CoreLease& CoreLease::operator=(CoreLease&& other) noexcept {
  if (this == &other) return *this;
  Release();
  pool_ = std::exchange(other.pool_, nullptr);
  places_ = std::exchange(other.places_, {});
  alone_ = other.alone_;
  return *this;
}

std::vector<int> CoreLease::cores() const {
  const bool all_real = std::all_of(places_.begin(), places_.end(), [](int place) { return place >= 0; });
  return all_real ? places_ : std::vector<int>();
}

void CoreLease::Release() {
  if (pool_ != nullptr) pool_->GiveBack(places_, alone_);
  pool_ = nullptr;
  places_.clear();
}

CorePool::CorePool(std::vector<int> cores, int for_jobs)
    : for_jobs_(for_jobs > 0 ? for_jobs : static_cast<int>(cores.size())) {
  for (const int core : cores) places_[core] = {};
  for (int i = static_cast<int>(cores.size()); i < for_jobs_; ++i) places_[-1 - i] = {};
}

// Places without a core are the last that anybody gets.
std::vector<int> CorePool::FreePlaces() const {
  std::vector<int> free;
  for (auto place = places_.rbegin(); place != places_.rend(); ++place)
    if (!place->second.taken) free.push_back(place->first);
  const auto rank = [this](int place) { return std::pair(place < 0, places_.at(place).users); };
  std::stable_sort(free.begin(), free.end(), [&](int a, int b) { return rank(a) < rank(b); });
  free.resize(std::min(free.size(), static_cast<size_t>(std::max(for_jobs_ - taken_, 0))));
  return free;
}

std::optional<std::vector<CoreLease>> CorePool::Take(const std::vector<int>& counts) {
  const std::lock_guard lock(mutex_);
  const auto free = FreePlaces();
  const int wanted = std::accumulate(counts.begin(), counts.end(), 0);
  if (static_cast<size_t>(wanted) > free.size()) return std::nullopt;
  std::vector<CoreLease> leases;
  auto next = free.begin();
  for (const int count : counts) {
    leases.push_back(Occupy({next, next + count}, true));
    next += count;
  }
  return leases;
}

int CorePool::taken() {
  const std::lock_guard lock(mutex_);
  return taken_;
}

CoreLease CorePool::Retake(const std::vector<int>& places, int count) {
  const std::lock_guard lock(mutex_);
  const auto free = FreePlaces();
  const auto most = static_cast<size_t>(std::max(count, 0));
  std::vector<int> mine;
  const auto add = [&](int place) {
    if (mine.size() < most && std::find(mine.begin(), mine.end(), place) == mine.end()) mine.push_back(place);
  };
  for (const int place : places)
    if (std::find(free.begin(), free.end(), place) != free.end()) add(place);
  for (const int place : free) add(place);
  return Occupy(std::move(mine), true);
}

CoreLease CorePool::Share(int count) {
  const std::lock_guard lock(mutex_);
  std::vector<int> cores;
  for (const auto& [place, use] : places_)
    if (place >= 0) cores.push_back(place);
  std::stable_sort(cores.begin(), cores.end(),
                   [this](int a, int b) { return places_.at(a).users < places_.at(b).users; });
  if (count > 0 && static_cast<size_t>(count) < cores.size()) cores.resize(static_cast<size_t>(count));
  return Occupy(std::move(cores), false);
}

CoreLease CorePool::Occupy(std::vector<int> places, bool alone) {
  for (const int place : places) {
    auto& use = places_.at(place);
    ++use.users;
    if (alone) use.taken = true;
  }
  if (alone) taken_ += static_cast<int>(places.size());
  std::sort(places.begin(), places.end());
  return CoreLease(this, std::move(places), alone);
}

void CorePool::GiveBack(const std::vector<int>& places, bool alone) {
  const std::lock_guard lock(mutex_);
  for (const int place : places) {
    auto& use = places_.at(place);
    --use.users;
    if (alone) use.taken = false;
  }
  if (alone) taken_ -= static_cast<int>(places.size());
}

std::vector<int> CoresOfThisProcess() {
  auto cores = Processors();
  if (cores.empty()) cores.push_back(0);
  return cores;
}

}  // namespace headrace::jobs
