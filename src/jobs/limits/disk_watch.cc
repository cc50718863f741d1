#include "jobs/limits/disk_watch.h"

#include <algorithm>

#include <fmt/format.h>
#include <sys/statvfs.h>

#include "jobs/supervisor/failure_reason.h"

namespace headrace::jobs {
namespace {

constexpr int64_t kGlanceMillis = 100, kMeasureMillis = 5000;
constexpr int64_t kShareOfTime = 10;  // measuring takes a tenth of a processor at most
constexpr uint64_t kMostReserve = uint64_t{64} << 20;
constexpr uint64_t kReservePart = 20;  // of a small file system

}  // namespace

std::string DiskWatch::Look(int64_t now, const std::function<std::vector<pid_t>()>& processes,
                            const std::function<int64_t()>& clock) {
  if (limits_.bytes == 0 && limits_.reserve == 0) return "";
  if (measured_ && now < next_glance_) return "";
  next_glance_ = now + kGlanceMillis;
  const uint64_t free = eyes_.free_bytes();
  // What has gone since then is the job's at most.
  const uint64_t gone = measured_ && free_then_ > free ? free_then_ - free : 0;
  const bool suspect = (limits_.bytes != 0 && used_ + gone > limits_.bytes) || free < limits_.reserve;
  if (!measured_ || now >= next_measure_ || (suspect && now >= earliest_measure_)) Measure(now, processes(), clock);
  if (limits_.bytes != 0 && used_ > limits_.bytes)
    return fmt::format(
        "AlgorithmError: out of disk: the job's files take {}, and its volume (VolumeSizeInGB) allows {}",
        FormatBytes(used_), FormatBytes(limits_.bytes));
  full_ = free < limits_.reserve && used_ > used_at_first_ + limits_.reserve / 2;
  if (full_)
    return fmt::format(
        "AlgorithmError: out of disk: the file system that holds the jobs is full, and the job's files take {}",
        FormatBytes(used_));
  return "";
}

void DiskWatch::Measure(int64_t now, const std::vector<pid_t>& processes, const std::function<int64_t()>& clock) {
  const uint64_t free = eyes_.free_bytes(), gone = measured_ && free_then_ > free ? free_then_ - free : 0;
  const auto use = eyes_.use(processes);
  // What hides from the look is taken for all that has gone meanwhile.
  used_ = use.whole ? use.bytes : std::max(use.bytes, used_ + gone);
  free_then_ = free;
  if (!measured_) used_at_first_ = used_;
  measured_ = true;
  const int64_t took = std::max<int64_t>(clock() - now, 0);
  earliest_measure_ = now + std::max(kGlanceMillis, kShareOfTime * took);
  next_measure_ = now + std::max(kMeasureMillis, kShareOfTime * took);
}

uint64_t FreeBytes(const std::string& directory) {
  struct statvfs status {};
  if (::statvfs(directory.c_str(), &status) != 0) return UINT64_MAX;
  return static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
}

uint64_t DiskReserve(const std::string& directory) {
  struct statvfs status {};
  if (::statvfs(directory.c_str(), &status) != 0) return 0;
  return std::min<uint64_t>(kMostReserve, static_cast<uint64_t>(status.f_blocks) * status.f_frsize / kReservePart);
}

}  // namespace headrace::jobs
