#include "jobs/training/training_service.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/log.h"
#include "jobs/request/training_status.h"
#include "jobs/training/executor.h"
#include "jobs/training/job_follower.h"
#include "jobs/training/old_jobs.h"
#include "jobs/training/rubbish.h"
#include "jobs/training/scheduler.h"
#include "store/meta/training_jobs.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

constexpr auto kSchedulerPause = std::chrono::seconds(1);
constexpr int kAfterAnErrorMillis = 1000;
constexpr int kSleepyMillis = 200;  // at most, between looks at a quiet job
constexpr int64_t kTidyMillis = 600'000;

TrainingOptions WithAbsolutePaths(TrainingOptions options) {
  options.data_dir = fs::absolute(options.data_dir).lexically_normal();
  return options;
}

}  // namespace

class TrainingService::Impl {
 public:
  explicit Impl(TrainingOptions options)
      : options_(WithAbsolutePaths(std::move(options))), scheduler_(*options_.database, *options_.executor) {}
  ~Impl() { Stop(); }

  Status Start() {
    if (!stop_) return Fail(ErrorCode::kResourceExhausted, "cannot make an eventfd: {}", std::strerror(errno));
    HEADRACE_TRY(options_.executor->Open());
    rubbish_ = std::make_unique<Rubbish>(options_.data_dir + "/rubbish");
    old_jobs_ =
        std::make_unique<OldJobs>(*options_.database, *rubbish_, options_.data_dir + "/jobs", options_.keep_log_hours);
    HEADRACE_ASSIGN(const auto jobs, scheduler_.Reattach());
    for (const auto& job : jobs) Follow(job);
    thread_ = std::thread([this] { Schedule(); });
    return {};
  }

  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      stopping_ = true;
    }
    wakeup_.notify_all();
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t told = ::write(stop_.get(), &one, sizeof one);
    if (thread_.joinable()) thread_.join();
    std::map<JobKey, std::thread> followers;
    {
      const std::lock_guard lock(mutex_);
      followers.swap(followers_);
    }
    for (auto& [key, thread] : followers) thread.join();
  }

  void Wake() {
    {
      const std::lock_guard lock(mutex_);
      look_ = true;
    }
    wakeup_.notify_all();
  }

  Status RequestStop(const std::string& account, const std::string& name) {
    store::TrainingJobs rows(*options_.database);
    bool running = false;
    const auto updated = rows.Update(account, name, [&](store::TrainingJob& job) -> Status {
      if (store::IsTerminal(job.status))
        return Fail(ErrorCode::kFailedPrecondition, "the training job '{}' is {}", name, job.status);
      HEADRACE_ASSIGN(const auto state, ParseIngestState(job.state));
      running = state.admitted;
      if (TrainingStatusOf(job.status) == TrainingStatus::kStopping) return {};
      const auto now = options_.clock->Now();
      if (running)
        store::Finish(job, Text(TrainingStatus::kStopping), Text(SecondaryStatus::kStopping),
                      "Stopping the training job", now);
      else
        store::Finish(job, Text(TrainingStatus::kStopped), Text(SecondaryStatus::kStopped),
                      "Training job stopped before it started", now);
      return {};
    });
    if (!updated) return tl::unexpected<Error>(updated.error());
    if (running) {
      const JobDirectory directory(options_.data_dir + "/jobs/" + account + "/" + name);
      // Without the directory the follower is about to make it, and sees the row's status.
      if (fs::exists(directory.path())) HEADRACE_TRY(directory.RequestStop());
    }
    Wake();
    return {};
  }

 private:
  void Schedule() {
    while (true) {
      {
        std::unique_lock lock(mutex_);
        wakeup_.wait_for(lock, kSchedulerPause, [this] { return stopping_ || look_; });
        if (stopping_) return;
        look_ = false;
      }
      JoinFinished();
      if (const auto admitted = scheduler_.Step(Moment::Now())) {
        for (const auto& job : *admitted) Follow(job);
      } else {
        Log(LogLevel::kError, "scheduler: {}", admitted.error().message());
      }
      TakeAwayWhatIsOld();
    }
  }

  void TakeAwayWhatIsOld() {
    old_jobs_->Step((options_.settled_clock ? options_.settled_clock : options_.clock)->Now(), steady_.Now());
    if (steady_.Now() < next_tidy_) return;
    next_tidy_ = steady_.Now() + kTidyMillis;
    options_.executor->Tidy();
  }

  // One thread a job: preparing and storing may take long, and jobs are no more than cores.
  void Follow(const JobKey& key) {
    const std::lock_guard lock(mutex_);
    if (stopping_ || followers_.contains(key)) return;  // its row says that it is admitted: the next process follows it
    followers_[key] = std::thread([this, key] {
      FollowToTheEnd(key);
      {
        const std::lock_guard finished(mutex_);
        finished_.push_back(key);
        look_ = true;
      }
      wakeup_.notify_all();
    });
  }

  void FollowToTheEnd(const JobKey& key) {
    JobFollower follower(options_, *rubbish_, key.account, key.job, [this] { return stopping_.load(); });
    bool has_room = true;
    int pause = options_.poll_millis;
    while (true) {
      const auto progress = follower.Step();
      const bool done = progress && *progress == JobFollower::Progress::kDone;
      // What a program leaves is packed and stored while others have its room already.
      if (has_room && (done || follower.NeedsNoCores())) {
        has_room = false;
        options_.executor->Release(key);
        Wake();
      }
      if (done) return;
      if (!progress) Log(LogLevel::kError, "job {}: {}", key.job, progress.error().message());
      // A quiet job is looked at less often.
      const bool worked = progress && *progress == JobFollower::Progress::kWorked;
      pause = worked ? options_.poll_millis
                     : std::min(pause + pause / 8 + 1, std::max(options_.poll_millis, kSleepyMillis));
      const int wait = worked && follower.has_ended() ? 0 : pause;
      if (!Wait(follower.bell(), progress ? wait : kAfterAnErrorMillis)) return;
    }
  }

  // Until the bell rings, but no longer than so many milliseconds. False when the service is to stop.
  bool Wait(const Doorbell* bell, int most_millis) const {
    pollfd news[] = {{stop_.get(), POLLIN, 0}, {bell == nullptr ? -1 : bell->descriptor(), POLLIN, 0}};
    ::poll(news, 2, most_millis);
    if (bell != nullptr) bell->Answer();
    return news[0].revents == 0;
  }

  void JoinFinished() {
    std::vector<std::thread> done;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& key : finished_)
        if (const auto found = followers_.find(key); found != followers_.end()) {
          done.push_back(std::move(found->second));
          followers_.erase(found);
        }
      finished_.clear();
    }
    for (auto& thread : done) thread.join();
  }

  const TrainingOptions options_;
  const BootClock steady_;
  std::unique_ptr<Rubbish> rubbish_;
  // Of the scheduler's thread.
  Scheduler scheduler_;
  std::unique_ptr<OldJobs> old_jobs_;
  int64_t next_tidy_ = 0;  // of steady_

  std::mutex mutex_;
  std::condition_variable wakeup_;
  const Descriptor stop_{::eventfd(0, EFD_CLOEXEC)};  // readable once stopping_
  std::atomic<bool> stopping_{false};
  bool look_ = true;
  std::map<JobKey, std::thread> followers_;
  std::vector<JobKey> finished_;
  std::thread thread_;
};

TrainingService::TrainingService(TrainingOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
TrainingService::~TrainingService() = default;
Status TrainingService::Start() { return impl_->Start(); }
void TrainingService::Stop() { impl_->Stop(); }
void TrainingService::Submit(const std::string&, const std::string&) { impl_->Wake(); }
Status TrainingService::RequestStop(const std::string& account, const std::string& name) {
  return impl_->RequestStop(account, name);
}

}  // namespace headrace::jobs
