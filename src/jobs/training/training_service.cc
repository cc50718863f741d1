#include "jobs/training/training_service.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>

#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/log.h"
#include "jobs/limits/cgroup.h"
#include "jobs/limits/moment.h"
#include "jobs/process/child.h"
#include "jobs/process/find_program.h"
#include "jobs/request/instance_types.h"
#include "jobs/runtime/installation.h"
#include "jobs/sandbox/sandbox.h"
#include "jobs/training/fair_queue.h"
#include "jobs/training/job_follower.h"
#include "jobs/training/local_executor.h"
#include "jobs/training/rubbish.h"
#include "store/meta/training_jobs.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;
using JobKey = std::pair<std::string, std::string>;  // account, name

constexpr auto kSchedulerPause = std::chrono::seconds(1);
constexpr int kAfterAnErrorMillis = 1000;
constexpr int kSleepyMillis = 200;  // at most, between looks at a quiet job
constexpr int64_t kForgetMillis = 600'000;
constexpr size_t kLooksAtOnce = 200;
constexpr size_t kWordsAtOnce = 100;  // jobs told in one transaction that they wait

std::vector<int> CoresOfThisProcess() {
  cpu_set_t set;
  std::vector<int> cores;
  if (::sched_getaffinity(0, sizeof set, &set) == 0)
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &set)) cores.push_back(cpu);
  if (cores.empty()) cores.push_back(0);
  return cores;
}

// The interpreter behind the configured name (which may be a wrapper script) and the trees it needs.
void FindPython(const std::string& configured, Machine& machine) {
  const char* path = std::getenv("PATH");
  const char* home = std::getenv("HOME");
  const auto program = FindProgram(configured);
  if (!program) return;
  auto child = StartChild(
      {.arguments = {*program, "-c", "import sys; print(sys.executable); print(sys.prefix); print(sys.base_prefix)"},
       .environment = {{"PATH", path == nullptr ? "/usr/bin:/bin" : path}, {"HOME", home == nullptr ? "/" : home}}});
  if (!child) return;
  pollfd ended{child->process.get(), POLLIN, 0};
  while (::poll(&ended, 1, -1) < 0 && errno == EINTR) {
  }
  int status = 0;
  while (::waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
  }
  char text[4096];
  const ssize_t n = ::read(child->output.get(), text, sizeof text);
  if (n <= 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return;
  std::vector<std::string> lines(1);
  for (const char c : std::string_view(text, static_cast<size_t>(n))) {
    if (c == '\n')
      lines.emplace_back();
    else
      lines.back() += c;
  }
  machine.python = lines.front();
  for (size_t i = 1; i < lines.size(); ++i)
    if (!lines[i].empty() && lines[i] != "/" && lines[i] != "/usr") machine.python_paths.push_back(lines[i]);
}

bool IsInProgress(const store::TrainingJob& job) { return TrainingStatusOf(job.status) == TrainingStatus::kInProgress; }

int CoresWanted(const store::TrainingJob& job, int all) {
  const auto request = ParseTrainingRequest(job.request);
  if (!request) return 1;  // it will fail, and say why
  const auto size = SizeOfInstance(request->resources.groups.front().instance_type).value_or(InstanceSize{});
  return size.cpus == 0 ? all : std::min(size.cpus, all);
}

// Supervisors and sandboxes have working directories of their own.
TrainingOptions WithAbsolutePaths(TrainingOptions options) {
  options.data_dir = fs::absolute(options.data_dir).lexically_normal();
  for (auto& path : options.read_only_paths) path = fs::absolute(path).lexically_normal();
  return options;
}

}  // namespace

class TrainingService::Impl {
 public:
  explicit Impl(TrainingOptions options)
      : options_(WithAbsolutePaths(std::move(options))),
        executor_({options_.data_dir + "/jobs", options_.headrace_binary, &steady_}) {}
  ~Impl() { Stop(); }

  Status Start() {
    if (!stop_) return Fail(ErrorCode::kResourceExhausted, "cannot make an eventfd: {}", std::strerror(errno));
    if (const auto init = FindInstallation(options_.headrace_binary).init; ::access(init.c_str(), X_OK) != 0)
      return Fail(ErrorCode::kFailedPrecondition,
                  "this installation of Headrace is not whole: {} is missing, which starts every program of a job; "
                  "install it again",
                  init);
    const auto mine = CoresOfThisProcess();
    machine_.cpus = options_.capacity_cpus > 0 ? options_.capacity_cpus : static_cast<int>(mine.size());
    // Numbers beyond the machine's cores are places without a core of their own.
    for (int i = 0; i < machine_.cpus; ++i)
      free_cores_.insert(i < static_cast<int>(mine.size()) ? mine[static_cast<size_t>(i)] : -1 - i);
    if (options_.sandbox) {
      const auto probed = ProbeBubblewrap();
      machine_.bubblewrap = probed.has_value();
      if (!probed) machine_.no_bubblewrap_reason = probed.error().message();
    } else {
      machine_.no_bubblewrap_reason = "the platform was started without sandboxes";
    }
    if (!machine_.bubblewrap) Log(LogLevel::kWarning, "jobs run as plain processes: {}", machine_.no_bubblewrap_reason);
    Cgroup::PrepareMachine();
    rubbish_ = std::make_unique<Rubbish>(options_.data_dir + "/rubbish");
    HEADRACE_TRY(Reattach());
    scheduler_ = std::thread([this] { Schedule(); });
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
    if (scheduler_.joinable()) scheduler_.join();
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
  // Jobs that an earlier process had admitted keep their cores.
  Status Reattach() {
    store::TrainingJobs rows(*options_.database);
    HEADRACE_ASSIGN(const auto jobs, rows.UnderWay());
    for (const auto& job : jobs) {
      HEADRACE_ASSIGN(const auto state, ParseIngestState(job.state));
      if (!state.admitted) continue;
      LookForPython();
      const std::lock_guard lock(mutex_);
      if (NeedsNoCores(state,
                       ParseTrainingRequest(job.request).value_or(TrainingRequest()))) {  // it has given them back
        Follow({job.account_id, job.name}, {});
        continue;
      }
      const auto wanted = static_cast<size_t>(CoresWanted(job, machine_.cpus));
      auto cores = state.cpus;
      for (const int core : cores) free_cores_.erase(core);
      while (cores.size() < wanted && !free_cores_.empty()) {
        cores.push_back(*free_cores_.begin());
        free_cores_.erase(free_cores_.begin());
      }
      Follow({job.account_id, job.name}, std::move(cores));
    }
    return {};
  }

  // Before the first job rather than at the start: it takes longer than the whole rest of it.
  void LookForPython() {
    if (looked_for_python_) return;
    looked_for_python_ = true;
    FindPython(options_.python, machine_);
  }

  void Schedule() {
    while (true) {
      {
        std::unique_lock lock(mutex_);
        wakeup_.wait_for(lock, kSchedulerPause, [this] { return stopping_ || look_; });
        if (stopping_) return;
        look_ = false;
      }
      if (auto admitted = AdmitAll(); !admitted) Log(LogLevel::kError, "scheduler: {}", admitted.error().message());
      ForgetOldLogs();
    }
  }

  // As many as there are cores for, in fair order.
  Status AdmitAll() {
    store::TrainingJobs rows(*options_.database);
    JoinFinished();
    while (true) {
      HEADRACE_ASSIGN(const auto first, rows.FirstWaitingOfEachAccount());
      std::vector<WaitingJob> waiting;
      for (const auto& job : first) waiting.push_back({job.account_id, job.name, job.sequence});
      const auto next = queue_.Next(waiting);
      if (!next) return {};
      HEADRACE_ASSIGN(const auto job, rows.Find(next->account, next->name));
      if (!job || job->state != "{}") continue;
      HEADRACE_ASSIGN(const bool admitted, TryAdmit(*job));
      if (!admitted) return SayPending();
      queue_.Taken(*next);
    }
  }

  // To those that have come since the last time.
  Status SayPending() {
    store::TrainingJobs rows(*options_.database);
    while (true) {
      HEADRACE_ASSIGN(const auto jobs, rows.WaitingWithoutWord(kWordsAtOnce));
      if (jobs.empty()) return {};
      HEADRACE_TRY(options_.database->Write([&](store::Connection& db) -> Status {
        for (const auto& job : jobs) {
          const auto updated = store::TrainingJobs::UpdateIn(
              db, job.account_id, job.name, [&](store::TrainingJob& row) -> Status { return SayPendingTo(row); });
          if (!updated && updated.error().code() != ErrorCode::kNotFound) return tl::unexpected<Error>(updated.error());
        }
        return {};
      }));
    }
  }

  Status SayPendingTo(store::TrainingJob& row) const {
    if (!IsInProgress(row) || row.state != "{}") return {};
    store::MoveTo(
        row, Text(SecondaryStatus::kPending),
        fmt::format("Waiting for {} of this machine's {} cores", CoresWanted(row, machine_.cpus), machine_.cpus),
        options_.clock->Now());
    return {};
  }

  // False when there are not enough cores now.
  Result<bool> TryAdmit(const store::TrainingJob& job) {
    std::vector<int> cores;
    {
      const std::lock_guard lock(mutex_);
      const auto wanted = static_cast<size_t>(CoresWanted(job, machine_.cpus));
      if (stopping_ || free_cores_.size() < wanted) return false;
      for (size_t i = 0; i < wanted; ++i) {
        // Real cores come last in the set's order: places without a core are taken when nothing else is left.
        const auto last = std::prev(free_cores_.end());
        cores.push_back(*last);
        free_cores_.erase(last);
      }
    }
    LookForPython();
    bool admitted = false;
    store::TrainingJobs rows(*options_.database);
    const auto updated = rows.Update(job.account_id, job.name, [&](store::TrainingJob& row) -> Status {
      if (!IsInProgress(row)) return {};  // stopped meanwhile
      const auto now = options_.clock->Now();
      IngestState state;
      state.admitted = true;
      for (const int core : cores)
        if (core >= 0) state.cpus.push_back(core);
      if (state.cpus.size() != cores.size()) state.cpus.clear();
      state.log_stream = fmt::format("{}/algo-1-{}", row.name, now / 1000);
      state.deadline = Moment::Now().After(MaxRuntimeSeconds(row) * 1000);
      row.state = ToJson(state);
      row.training_start = now;
      store::MoveTo(row, Text(SecondaryStatus::kStarting), "Preparing the instances for training", now);
      admitted = true;
      return {};
    });
    const std::lock_guard lock(mutex_);
    if (admitted && updated) {
      Follow({job.account_id, job.name}, std::move(cores));
    } else {
      free_cores_.insert(cores.begin(), cores.end());
    }
    if (!updated && updated.error().code() != ErrorCode::kNotFound) return tl::unexpected<Error>(updated.error());
    return true;
  }

  static int64_t MaxRuntimeSeconds(const store::TrainingJob& job) {
    return ParseTrainingRequest(job.request).value_or(TrainingRequest()).stopping.max_runtime_seconds;
  }

  // With mutex_ held. One thread a job: preparing and storing may take long, and jobs are no more than cores.
  void Follow(const JobKey& key, std::vector<int> cores) {
    if (followers_.contains(key)) return;
    followers_[key] = std::thread([this, key, cores = std::move(cores)]() mutable {
      FollowToTheEnd(key, cores);
      GiveBack(cores);
      {
        const std::lock_guard lock(mutex_);
        finished_.push_back(key);
        look_ = true;
      }
      wakeup_.notify_all();
    });
  }

  void GiveBack(std::vector<int>& cores) {
    if (cores.empty()) return;
    {
      const std::lock_guard lock(mutex_);
      free_cores_.insert(cores.begin(), cores.end());
      look_ = true;
    }
    cores.clear();
    wakeup_.notify_all();
  }

  // What a program leaves is packed and stored while others have its cores already.
  void FollowToTheEnd(const JobKey& key, std::vector<int>& cores) {
    JobFollower follower(options_, machine_, executor_, *rubbish_, key.first, key.second);
    int pause = options_.poll_millis;
    while (true) {
      const auto progress = follower.Step();
      if (follower.NeedsNoCores()) GiveBack(cores);
      if (progress && *progress == JobFollower::Progress::kDone) return;
      if (!progress) Log(LogLevel::kError, "job {}: {}", key.second, progress.error().message());
      // A quiet job is looked at less often.
      const bool worked = progress && *progress == JobFollower::Progress::kWorked;
      pause = worked ? options_.poll_millis
                     : std::min(pause + pause / 8 + 1, std::max(options_.poll_millis, kSleepyMillis));
      if (!Wait(follower.bell(), progress ? pause : kAfterAnErrorMillis)) return;
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

  // Directories of jobs that ended long ago: some at a time, between two looks at the queue.
  void ForgetOldLogs() {
    if (to_look_at_.empty() && steady_.Now() >= next_forget_) {
      next_forget_ = steady_.Now() + kForgetMillis;
      Cgroup::RemoveLeft();
      std::error_code ignored;
      for (const auto& account : fs::directory_iterator(options_.data_dir + "/jobs", ignored))
        for (const auto& job : fs::directory_iterator(account.path(), ignored))
          to_look_at_.emplace_back(account.path().filename(), job.path().filename());
    }
    store::TrainingJobs rows(*options_.database);
    const auto now = options_.clock->Now();
    for (size_t i = 0; i < kLooksAtOnce && !to_look_at_.empty(); ++i) {
      const auto [account, job] = to_look_at_.back();
      to_look_at_.pop_back();
      const auto row = rows.Find(account, job);
      if (!row) continue;
      const bool old = !*row || (store::IsTerminal((*row)->status) &&
                                 now - (*row)->modified > options_.keep_log_hours * 3'600'000LL);
      if (old) rubbish_->Take(fmt::format("{}/jobs/{}/{}", options_.data_dir, account, job));
    }
  }

  const TrainingOptions options_;
  const BootClock steady_;
  LocalExecutor executor_;
  Machine machine_;  // does not change any more once a job is followed
  bool looked_for_python_ = false;
  std::mutex mutex_;
  std::condition_variable wakeup_;
  const Descriptor stop_{::eventfd(0, EFD_CLOEXEC)};  // readable once stopping_
  bool stopping_ = false, look_ = true;
  std::set<int> free_cores_;
  std::map<JobKey, std::thread> followers_;
  std::vector<JobKey> finished_;
  FairQueue queue_;  // of the scheduler's thread
  std::unique_ptr<Rubbish> rubbish_;
  int64_t next_forget_ = 0;         // of steady_
  std::vector<JobKey> to_look_at_;  // directories of jobs
  std::thread scheduler_;
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
