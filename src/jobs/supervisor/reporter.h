// Reporter: the supervisor's voice. Everything it has to tell goes through here into the attempt's spool files.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "base/clock.h"
#include "base/result.h"
#include "jobs/capture/log_budget.h"
#include "jobs/capture/rank_streams.h"
#include "jobs/capture/rank_tags.h"
#include "jobs/directory/host_directory.h"
#include "jobs/directory/spool.h"
#include "jobs/request/training_status.h"

namespace headrace::jobs {

enum class OutputStream { kOutput, kError };

class Reporter {
 public:
  // `clock` tells when something was; `steady`, which nobody sets, how long it took. `log_bytes`: that the job's log
  // keeps of what its programs write; 0: all.
  static Result<std::unique_ptr<Reporter>> Create(const HostDirectory& directory, int attempt, const Clock& clock,
                                                  const Clock& steady, uint64_t log_bytes = 0);

  // A secondary status begins, or its message changes. On disk when it returns.
  void Phase(SecondaryStatus status, const std::string& message);
  void Started();
  void Sample(double cpu, double memory, double disk);
  void Exit(int code, int signal, uint64_t peak_bytes, bool out_of_memory);
  // The last word. On disk when it returns.
  // `again`: it was none of the program's doing, and may go well another time.
  void End(const JobEnd& end, bool again = false);

  // A line of the platform's own in the job's log. Any thread.
  template <typename... Args>
  void Say(fmt::format_string<Args...> format, Args&&... args) {
    SayLine(fmt::format(format, std::forward<Args>(args)...));
  }
  void SayLine(std::string_view line);

  // What a heartbeat tells of, by the steady clock.
  struct Activity {
    std::string phase;        // "" before the first
    int64_t phase_began = 0;  // the current phase
    int64_t last_line = 0;    // of the program or the platform, heartbeats aside; 0: none yet
    bool sampled = false;
    double cpu = 0, memory = 0;  // the last sample
  };
  Activity CurrentActivity() const;
  void SayHeartbeat(std::string_view line);

  // Bytes the program wrote, as they came.
  void Output(OutputStream stream, std::string_view bytes);
  void FinishOutput();

  // What comes from now on is mpirun's: the lines of so many ranks are taken apart, and marked by `tags`.
  void ExpectRanks(int ranks, RankTags tags);

  // What the program wrote last, oldest first: standard error's lines if there are any.
  std::vector<std::string> LastLines() const;
  // The same of one rank, without mpirun's marks.
  std::vector<std::string> LastLinesOf(int rank) const;

  // Milliseconds spent in each phase so far, in order.
  std::vector<std::pair<std::string, int64_t>> PhaseTimes() const;

  // The first failure to write a spool file (the disk is full): the job's record is no longer whole.
  Status status() const;
  // There is room again: what follows is written, a line that was begun is completed.
  void GoOn();

 private:
  Reporter(const Clock& clock, const Clock& steady, uint64_t log_bytes, SpoolWriter events, SpoolWriter log,
           SpoolWriter raw);
  void KeepRaw(std::string_view bytes);
  void KeepLine(OutputStream stream, UnixMillis now, std::optional<int> rank, std::string_view line,
                std::string& lines);
  void Event(const std::string& line);
  void Note(Status status);
  void Append(std::string_view line);
  UnixMillis Now();

  const Clock& clock_;
  const Clock& steady_;
  mutable std::mutex mutex_;
  SpoolWriter events_, log_, raw_;
  Status status_;
  const uint64_t log_bytes_;
  uint64_t raw_bytes_ = 0;
  LogBudget budget_;
  bool told_of_budget_ = false;
  UnixMillis last_time_ = 0;
  Activity activity_;
  RankStreams output_{0}, error_{0};
  std::optional<RankTags> tags_;
  std::deque<std::string> last_output_, last_error_;
  std::map<int, std::pair<std::deque<std::string>, std::deque<std::string>>> last_of_ranks_;  // output, error
  std::vector<std::pair<std::string, int64_t>> phases_;  // when each began, by the steady clock
};

}  // namespace headrace::jobs
