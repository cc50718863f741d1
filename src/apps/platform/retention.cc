#include "apps/platform/retention.h"

#include "base/log.h"
#include "store/meta/logs.h"
#include "store/meta/metrics.h"

namespace headrace::apps {
namespace {

constexpr int64_t kStep = 20'000;  // rows in one transaction, about
constexpr int64_t kDay = 86'400'000;
constexpr std::chrono::milliseconds kBetweenSteps{50};

}  // namespace

Retention::Retention(store::Database& database, const Clock& clock, RetentionOptions options)
    : database_(database), clock_(clock), options_(options) {}

void Retention::Start() {
  ticker_.Start(options_.interval, [this] { PassAndTell(); });
}

void Retention::PassAndTell() {
  const auto deleted = Pass();
  if (!deleted)
    Log(LogLevel::kWarning, "retention: {}", deleted.error().message());
  else if (*deleted > 0)
    Log(LogLevel::kInfo, "retention: {} log events and metric samples deleted", *deleted);
}

Result<int64_t> Retention::Pass() {
  int64_t deleted = 0;
  while (true) {
    const auto now = clock_.Now();
    HEADRACE_ASSIGN(const int64_t events, store::Logs(database_).Expire(now, kStep));
    int64_t samples = 0;
    if (options_.metric_days > 0) {
      HEADRACE_ASSIGN(samples, store::Metrics(database_).Expire(now - options_.metric_days * kDay, kStep));
    }
    deleted += events + samples;
    if ((events < kStep && samples < kStep) || !ticker_.Sleep(kBetweenSteps)) return deleted;
  }
}

}  // namespace headrace::apps
