#include "jobs/hosting/use_report.h"

#include "base/log.h"

namespace headrace::jobs {
namespace {

constexpr UnixMillis kFirstUseMillis = 5000, kUseMillis = 60'000;  // once a minute, as SageMaker tells it

}  // namespace

UnixMillis UseReport::Step(UnixMillis now, const Sample& sample) {
  if (!sample) return next_ = 0;
  if (next_ == 0) next_ = now + kFirstUseMillis;
  if (now < next_) return next_;
  next_ = now + kUseMillis;
  std::vector<store::MetricDatum> data;
  for (const auto& use : sample(now)) add_(use, now, data);
  if (data.empty()) return next_;
  if (const auto written = store::Metrics(database_).Put(data); !written)
    Log(LogLevel::kError, "metrics of {}: {}", whose_, written.error().message());
  return next_;
}

}  // namespace headrace::jobs
