#include "jobs/training/old_jobs.h"

#include <filesystem>

#include "store/meta/training_jobs.h"

namespace headrace::jobs {
namespace {

constexpr int64_t kPauseMillis = 600'000;
constexpr size_t kLooksAtOnce = 200;

}  // namespace

void OldJobs::FindDirectories() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  for (const auto& account : fs::directory_iterator(directory_, ignored))
    for (const auto& job : fs::directory_iterator(account.path(), ignored))
      to_look_at_.push_back({account.path().filename(), job.path().filename()});
}

void OldJobs::Step(UnixMillis now, int64_t steady) {
  if (to_look_at_.empty() && steady >= next_) {
    next_ = steady + kPauseMillis;
    FindDirectories();
  }
  store::TrainingJobs rows(database_);
  for (size_t i = 0; i < kLooksAtOnce && !to_look_at_.empty(); ++i) {
    const auto key = to_look_at_.back();
    to_look_at_.pop_back();
    const auto row = rows.Find(key.account, key.job);
    if (!row) continue;
    const bool old = !*row || (store::IsTerminal((*row)->status) && now - (*row)->modified > keep_hours_ * 3'600'000LL);
    if (old) rubbish_.Take(fmt::format("{}/{}/{}", directory_, key.account, key.job));
  }
}

}  // namespace headrace::jobs
