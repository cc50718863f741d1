#include "jobs/supervisor/program_run.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "jobs/capture/instance_use.h"
#include "jobs/limits/disk_use.h"
#include "jobs/limits/hidden_memory.h"
#include "jobs/process/process_tree.h"
#include "jobs/sandbox/sandbox.h"
#include "jobs/supervisor/program_life.h"

namespace headrace::jobs {
namespace {

constexpr int kTickMillis = 50;
constexpr UnixMillis kHurriedMillis = 1000;
constexpr UnixMillis kMemoryTickMillis = 100;

// How many processes the kernel has killed for want of memory since it started.
uint64_t KernelOomKills() {
  const auto counters = ReadFile("/proc/vmstat");
  if (!counters) return 0;
  const auto at = counters->find("\noom_kill ");
  return at == std::string::npos ? 0 : std::strtoull(counters->c_str() + at + 10, nullptr, 10);
}

// The most memory that any child waited for has had.
uint64_t LargestChild() {
  struct rusage usage {};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

class Run {
 public:
  Run(Child child, Descriptor status, const RunOptions& options, Reporter& reporter, const Clock& clock)
      : child_(std::move(child)),
        status_(std::move(status)),
        options_(options),
        reporter_(reporter),
        clock_(clock),
        oom_kills_before_(OomKills()),
        refused_before_(options.group != nullptr ? options.group->RefusedForks() : 0),
        largest_child_before_(LargestChild()) {}

  ProgramEnd ToTheEnd() {
    while (!life_.is_over()) {
      Wait(kTickMillis);
      Tick();
    }
    KillRest();
    DrainAfterEnd();
    JudgeEnd();
    return end_;
  }

 private:
  void Wait(int millis) {
    pollfd watched[] = {
        {child_.output.get(), POLLIN, 0}, {child_.error.get(), POLLIN, 0}, {child_.process.get(), POLLIN, 0}};
    if (::poll(watched, 3, millis) < 0) return;
    if (watched[0].revents != 0) Read(child_.output, OutputStream::kOutput);
    if (watched[1].revents != 0) Read(child_.error, OutputStream::kError);
    if (watched[2].revents != 0) Reap();
  }

  // False when there is nothing to read now.
  bool Read(Descriptor& pipe, OutputStream stream) {
    if (!pipe) return false;
    char buffer[1 << 16];
    const ssize_t n = ::read(pipe.get(), buffer, sizeof buffer);
    if (n > 0) reporter_.Output(stream, {buffer, static_cast<size_t>(n)});
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) pipe.Reset();
    return n > 0;
  }

  // Orphans of the program come to us when there is no sandbox around it: they are reaped, too.
  void Reap() {
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (pid != child_.pid) continue;
      life_.Ends();
      wait_status_ = status;
    }
  }

  void Tick() {
    const auto now = clock_.Now();
    if (!life_.is_ending()) DecideToStop(now);
    if (life_.state() == ProgramState::kAsking && AskToEnd() > 0) life_.HasHeard();
    if (life_.IsLate(now, Grace())) Kill();
    if (now >= next_memory_) {
      next_memory_ = now + kMemoryTickMillis;
      WatchLimits();
      if (options_.over && !life_.is_ending() && options_.over()) EndAtLimit();
    }
    WatchDisk(now);
    if (options_.sample_millis > 0 && now >= next_sample_) {
      if (use_)
        Sample(now);
      else
        use_.emplace(now, options_.memory_bytes, options_.disk_path);
      next_sample_ = now + options_.sample_millis;
    }
  }

  void DecideToStop(UnixMillis now) {
    if (options_.stop_requested())
      end_.stopped = true;
    else if (options_.deadline != 0 && now >= options_.deadline)
      end_.timed_out = true;
    else if (options_.failed_meanwhile)
      end_.failure = options_.failed_meanwhile();
    const auto written = reporter_.status();
    if (!end_.stopped && !end_.timed_out && end_.failure.empty() && written) return;
    if (!written && written.error().code() == ErrorCode::kResourceExhausted) {
      end_.out_of_disk = true;
      end_.failure =
          "InternalServerError: out of disk: the job's log could not be written: " + written.error().message();
      EndAtLimit();
      return;
    }
    life_.HasToEnd(now);
    options_.on_stopping();
  }

  UnixMillis Grace() const { return options_.hurried() ? kHurriedMillis : options_.grace_seconds * 1000LL; }

  // The processes that are the job's own.
  std::vector<pid_t> JobProcesses() const {
    auto below = Descendants(::getpid());
    if (options_.sandboxed) LeaveOutSandbox(child_.pid, below);
    return below;
  }

  // A process that somebody has stopped goes on, to do what it has to do at its end.
  int AskToEnd() const {
    int asked = 0;
    for (const pid_t pid : options_.to_ask(JobProcesses())) {
      asked += ::kill(pid, SIGTERM) == 0 ? 1 : 0;
      ::kill(pid, SIGCONT);
    }
    return asked;
  }

  void Kill() {
    end_.killed = true;
    for (const pid_t pid : Descendants(::getpid())) ::kill(pid, SIGKILL);
  }

  // At a limit there is nothing to save: what the program would write on SIGTERM needs what is used up.
  void EndAtLimit() {
    life_.PassesALimit(clock_.Now());
    if (options_.group != nullptr) options_.group->KillAll();
    for (const pid_t pid : Descendants(::getpid())) ::kill(pid, SIGKILL);
  }

  // Of the group, or of the whole machine where there is none.
  uint64_t OomKills() const { return GroupLimitsMemory() ? options_.group->OomKills() : KernelOomKills(); }
  bool GroupLimitsMemory() const { return options_.group != nullptr && options_.group->limits_memory(); }
  bool GroupLimitsTasks() const { return options_.group != nullptr && options_.group->limits_tasks(); }

  void WatchLimits() {
    const auto processes = JobProcesses();
    const auto usage = UsageOf(processes);
    const uint64_t bytes = GroupLimitsMemory() ? options_.group->MemoryBytes() : MeasuredMemory(processes, usage);
    end_.peak_bytes = std::max(end_.peak_bytes, bytes);
    usage_now_ = usage;
    usage_now_.resident_bytes = bytes;
    const bool beyond = options_.memory_bytes != 0 && bytes > options_.memory_bytes;
    if (!end_.out_of_memory && (beyond || (GroupLimitsMemory() && OomKills() > oom_kills_before_))) {
      end_.out_of_memory = true;
      EndAtLimit();
    }
    WatchTasks(usage);
  }

  // Where no group does it.
  uint64_t MeasuredMemory(const std::vector<pid_t>& processes, const TreeUsage& usage) const {
    uint64_t hidden = options_.sandboxed && !processes.empty() ? HiddenMemory(processes) : 0;
    if (!options_.shared_memory.empty()) hidden += DiskUseBelow({options_.shared_memory}).bytes;
    const uint64_t bytes = usage.resident_bytes + hidden;
    // Pages that processes share were counted for each of them; look closer only when it matters.
    if (options_.memory_bytes == 0 || bytes <= options_.memory_bytes) return bytes;
    return std::min(bytes, ProportionalBytes(processes, hidden != 0) + hidden);
  }

  void WatchTasks(const TreeUsage& usage) {
    if (options_.tasks == 0) return;
    if (!GroupLimitsTasks() && static_cast<uint64_t>(usage.threads) > options_.tasks && end_.failure.empty()) {
      end_.failure = fmt::format("AlgorithmError: the job had {} processes and threads, and may have {}: it was killed",
                                 usage.threads, options_.tasks);
      EndAtLimit();
    }
    if (end_.refused_beyond != 0 || !GroupLimitsTasks() || options_.group->RefusedForks() == refused_before_) return;
    end_.refused_beyond = options_.tasks;
    reporter_.Say(
        "warning: the job has the {} processes and threads that it may have at once (job-tasks): more are "
        "refused (EAGAIN)",
        options_.tasks);
  }

  void WatchDisk(UnixMillis now) {
    if (options_.disk == nullptr || end_.out_of_disk) return;
    const auto reason = options_.disk->Look(
        now, [this] { return JobProcesses(); }, [this] { return clock_.Now(); });
    if (reason.empty()) return;
    end_.failure = reason;
    end_.out_of_disk = true;
    EndAtLimit();
  }

  void Sample(UnixMillis now) {
    const auto use = use_->Sample(now, usage_now_);
    reporter_.Sample(use.cpu, use.memory, use.disk.value_or(0));
  }

  // Processes that start others as fast as they are killed are stopped first, until there are no new ones.
  void HoldRest() const {
    size_t before = 0;
    for (int round = 0; round < 100; ++round) {
      const auto rest = Descendants(::getpid());
      if (rest.size() == before) return;
      before = rest.size();
      for (const pid_t pid : rest) ::kill(pid, SIGSTOP);
    }
  }

  // What the program left running.
  void KillRest() {
    if (!options_.sandboxed && !GroupLimitsTasks()) HoldRest();
    for (int round = 0; round < 1000; ++round) {
      const auto rest = Descendants(::getpid());
      if (rest.empty()) return;
      for (const pid_t pid : rest) ::kill(pid, SIGKILL);
      ::usleep(1000);
      Reap();
    }
  }

  void DrainAfterEnd() {
    while (Read(child_.output, OutputStream::kOutput)) {
    }
    while (Read(child_.error, OutputStream::kError)) {
    }
    reporter_.FinishOutput();
  }

  void JudgeEnd() {
    WatchTasks({});
    int status = wait_status_;
    // From inside the sandbox, where it is exact; bubblewrap's own exit code mixes signals with codes.
    long report[2] = {0, 0};
    if (status_ && ::read(status_.get(), report, sizeof report) == sizeof report) {
      status = static_cast<int>(report[0]);
      end_.peak_bytes = std::max(end_.peak_bytes, static_cast<uint64_t>(report[1]) * 1024);
    }
    end_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    end_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (end_.signal == 0 && end_.exit_code == 128 + SIGKILL) end_.signal = SIGKILL;
    const bool killed = end_.signal == SIGKILL && !end_.killed && !end_.out_of_disk;
    if ((killed || (GroupLimitsMemory() && !end_.succeeded())) && OomKills() > oom_kills_before_)
      end_.out_of_memory = true;
    if (end_.out_of_memory && GroupLimitsMemory()) end_.peak_bytes = std::max(end_.peak_bytes, options_.memory_bytes);
    if (!end_.failure.empty() && end_.succeeded()) end_.signal = SIGKILL;  // it ended just before it was killed
    // Exact for a short or single process, and says nothing when an earlier child was larger.
    if (const auto largest = LargestChild(); largest > largest_child_before_)
      end_.peak_bytes = std::max(end_.peak_bytes, largest);
  }

  Child child_;
  Descriptor status_;
  const RunOptions& options_;
  Reporter& reporter_;
  const Clock& clock_;
  const uint64_t oom_kills_before_, refused_before_, largest_child_before_;
  ProgramEnd end_;
  ProgramLife life_;
  int wait_status_ = 0;
  UnixMillis next_memory_ = 0, next_sample_ = 0;
  TreeUsage usage_now_;
  std::optional<UseSampler> use_;
};

}  // namespace

Result<ProgramEnd> RunProgram(Command command, bool has_init, const RunOptions& options, Reporter& reporter,
                              const Clock& clock) {
  Descriptor status_read, status_write;
  if (has_init) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
      return Fail(ErrorCode::kResourceExhausted, "cannot make a pipe: {}", std::strerror(errno));
    status_read = Descriptor(ends[0]);
    status_write = Descriptor(ends[1]);
    command.passed_descriptor = status_write.get();
  }
  if (options.group != nullptr) command.groups = options.group->entrances();
  HEADRACE_ASSIGN(auto child, StartChild(command));
  status_write.Reset();
  return Run(std::move(child), std::move(status_read), options, reporter, clock).ToTheEnd();
}

std::string SignalName(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name == nullptr ? "signal " + std::to_string(signal) : std::string("SIG") + name;
}

}  // namespace headrace::jobs
