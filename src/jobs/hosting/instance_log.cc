#include "jobs/hosting/instance_log.h"

#include <algorithm>
#include <string_view>

#include "base/log.h"
#include "store/meta/logs.h"

namespace headrace::jobs {
namespace {

constexpr UnixMillis kLinesWaitMillis = 200;

}  // namespace

bool InstanceLog::Due(bool any) {
  const UnixMillis now = steady_.Now();
  if (since_ == 0 && any) since_ = now;
  return since_ != 0 && now >= since_ + kLinesWaitMillis;
}

UnixMillis InstanceLog::NextLook(UnixMillis until) const {
  if (since_ == 0) return until;
  return until == 0 ? since_ + kLinesWaitMillis : std::min(until, since_ + kLinesWaitMillis);
}

void InstanceLog::Append(const std::string& stream, const std::vector<Instance::Line>& lines) {
  std::vector<store::LogLineIn> views;  // no event is empty
  for (const auto& line : lines)
    views.push_back({line.time, line.text.empty() ? std::string_view(" ") : std::string_view(line.text)});
  const store::Logs::Target target{account_, group_, stream, true, store::LogTimes::kNeverDecreasing};
  if (const auto written = store::Logs(database_).Append(target, views, clock_.Now()); !written)
    Log(LogLevel::kError, "{} {}: {}", group_, stream, written.error().message());
}

}  // namespace headrace::jobs
