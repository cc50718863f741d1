#include "jobs/capture/log_budget.h"

#include <algorithm>
#include <utility>

namespace headrace::jobs {
namespace {

constexpr uint64_t kMostAtEnd = uint64_t{256} << 10;  // held in memory

uint64_t CostOf(std::string_view line) { return line.size() + LogBudget::kBytesOfLine; }

}  // namespace

LogBudget::LogBudget(uint64_t bytes) : limited_(bytes != 0), room_at_end_(std::min(bytes / 4, kMostAtEnd)) {
  room_ = bytes - room_at_end_;
}

bool LogBudget::Take(std::string_view line) {
  if (!limited_) return true;
  const uint64_t cost = CostOf(line);
  if (room_ >= cost) {
    room_ -= cost;
    return true;
  }
  room_ = 0;  // no shorter line slips in behind one that was left out
  rest_.last.emplace_back(line);
  held_bytes_ += cost;
  while (held_bytes_ > room_at_end_ && !rest_.last.empty()) {
    const uint64_t first = CostOf(rest_.last.front());
    held_bytes_ -= first;
    ++rest_.lines;
    rest_.bytes += first - kBytesOfLine;
    rest_.last.pop_front();
  }
  return false;
}

LogBudget::Rest LogBudget::Finish() {
  held_bytes_ = 0;
  return std::exchange(rest_, {});
}

}  // namespace headrace::jobs
