#include "horovod/processor_split.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <numeric>

#include <dirent.h>
#include <sched.h>

#include "tensor/parallel.h"

namespace headrace::hvd {
namespace {

using Ranks = std::vector<size_t>;

// Ranks with the very same processors: each gets a run of neighbours.
void SplitSame(const std::vector<int>& processors, const Ranks& ranks, std::vector<ProcessorShare>& shares) {
  const size_t have = processors.size(), wanted = ranks.size();
  for (size_t i = 0; i < wanted; ++i) {
    auto& share = shares[ranks[i]];
    if (have < wanted) {
      if (have > 0) share.processors = {processors[i % have]};
      share.own = false;
      continue;
    }
    share.processors.assign(processors.begin() + static_cast<long>(have * i / wanted),
                            processors.begin() + static_cast<long>(have * (i + 1) / wanted));
  }
}

// Ranks whose processors overlap in part: each processor goes to the rank that may use it and has fewest, those that
// few ranks may use first.
void SplitOverlapping(const std::vector<std::vector<int>>& allowed, const Ranks& ranks,
                      std::vector<ProcessorShare>& shares) {
  std::map<int, Ranks> claims;
  for (const size_t rank : ranks)
    for (const int processor : allowed[rank]) claims[processor].push_back(rank);
  std::vector<std::pair<int, Ranks>> order(claims.begin(), claims.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  for (const auto& [processor, claimants] : order) {
    const size_t winner = *std::min_element(claimants.begin(), claimants.end(), [&](size_t a, size_t b) {
      return shares[a].processors.size() < shares[b].processors.size();
    });
    shares[winner].processors.push_back(processor);
  }
  for (const size_t rank : ranks) {
    std::sort(shares[rank].processors.begin(), shares[rank].processors.end());
    if (!shares[rank].processors.empty()) continue;
    shares[rank].own = false;
    shares[rank].processors = allowed[rank];
    for (const size_t other : ranks)
      if (std::find_first_of(allowed[rank].begin(), allowed[rank].end(), shares[other].processors.begin(),
                             shares[other].processors.end()) != allowed[rank].end())
        shares[other].own = false;
  }
}

bool Overlap(const std::vector<int>& a, const std::vector<int>& b) {
  return std::find_first_of(a.begin(), a.end(), b.begin(), b.end()) != a.end();
}

// Sets of ranks that share processors, directly or through others.
std::vector<Ranks> Connected(const std::vector<std::vector<int>>& allowed) {
  std::vector<Ranks> sets;
  for (size_t rank = 0; rank < allowed.size(); ++rank) {
    Ranks joined = {rank};
    for (auto set = sets.begin(); set != sets.end();) {
      const bool meets =
          std::any_of(set->begin(), set->end(), [&](size_t other) { return Overlap(allowed[rank], allowed[other]); });
      if (meets) joined.insert(joined.begin(), set->begin(), set->end());
      set = meets ? sets.erase(set) : std::next(set);
    }
    std::sort(joined.begin(), joined.end());
    sets.push_back(std::move(joined));
  }
  return sets;
}

}  // namespace

std::vector<ProcessorShare> SplitProcessors(const std::vector<std::vector<int>>& allowed) {
  std::vector<ProcessorShare> shares(allowed.size());
  for (const Ranks& ranks : Connected(allowed)) {
    const auto& first = allowed[ranks.front()];
    const bool same = std::all_of(ranks.begin(), ranks.end(), [&](size_t rank) { return allowed[rank] == first; });
    same ? SplitSame(first, ranks, shares) : SplitOverlapping(allowed, ranks, shares);
  }
  return shares;
}

void UseProcessors(const std::vector<int>& processors) {
  if (processors.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int processor : processors) CPU_SET(processor, &set);
  // Threads that run already, OpenMP's among them, do not follow the first one by themselves.
  if (DIR* tasks = ::opendir("/proc/self/task")) {
    while (const dirent* task = ::readdir(tasks))
      if (const int id = std::atoi(task->d_name); id > 0) ::sched_setaffinity(id, sizeof set, &set);
    ::closedir(tasks);
  }
  ::sched_setaffinity(0, sizeof set, &set);
  const int most = static_cast<int>(processors.size());
  const bool told = std::getenv("OMP_NUM_THREADS") != nullptr;
  tensor::SetNumThreads(told ? std::min(tensor::NumThreads(), most) : most);
}

}  // namespace headrace::hvd
