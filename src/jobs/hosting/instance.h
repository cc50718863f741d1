// Instance: one model server process of an endpoint's variant, with its log lines. Driven by the thread that polls its
// descriptors; the process ends with that thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <poll.h>

#include "base/clock.h"
#include "base/result.h"
#include "jobs/capture/terminal_lines.h"
#include "jobs/hosting/deployment.h"
#include "jobs/hosting/routes.h"
#include "jobs/limits/cgroup.h"
#include "jobs/process/child.h"
#include "jobs/process/process_tree.h"

namespace headrace::jobs {

struct InstanceOptions {
  std::string id;               // "i-0abc…"
  std::string headrace_binary;  // absolute path
  std::string model_directory;  // read only
  std::string run_directory;    // of this instance alone, and for this user alone
  std::vector<int> cpus;
  uint64_t memory_bytes = 0, tasks = 0;  // that it may have; 0: no limit
  bool sandbox = true;
  std::string no_sandbox_reason = {};
  std::vector<std::string> hidden;  // what the sandbox must not show
};

class Instance {
 public:
  enum class State {
    kIdle,      // no process
    kStarting,  // it does not listen yet
    kListening,
    kEnding,  // killed, or ended, and still to be reaped
  };
  struct Line {
    UnixMillis time = 0;
    std::string text;
  };

  Instance(const Variant& variant, InstanceOptions options);

  Status Start(UnixMillis now);
  void Kill();
  State state() const { return state_; }
  // Where it listens: a path that the sandboxes of others do not show.
  std::string socket() const { return options_.run_directory + "/" + kSocketName; }
  UnixMillis started() const { return started_; }
  const InstanceOptions& options() const { return options_; }

  // What to poll for; then Attend() reads, and notices that it listens or has ended.
  void AddTo(std::vector<pollfd>& watched) const;
  void Attend(UnixMillis now);

  // Of the model server alone, not of the sandbox around it. Zeros while there is none.
  TreeUsage Usage() const;
  // Why the process must be killed, where no control group does it: it has more memory than its instance; else "".
  std::string BeyondLimits() const;

  // How the last process ended, "exit code 1" or "killed by SIGKILL"; "" while it has not.
  const std::string& end() const { return end_; }
  bool ended_by_signal() const { return ended_by_signal_; }
  // The last lines of its output, newest last.
  const std::deque<std::string>& last_lines() const { return last_lines_; }
  // Lines not taken yet. Say() adds one of the platform's own.
  std::vector<Line> TakeLines() { return std::exchange(lines_, {}); }
  bool has_lines() const { return !lines_.empty(); }
  void Say(UnixMillis now, const std::string& text) { lines_.push_back({now, text}); }

 private:
  static constexpr const char* kSocketName = "http.sock";
  Command MakeCommand();
  bool Read(Descriptor& pipe, TerminalLines& lines, UnixMillis now);
  void Keep(UnixMillis now, std::string_view line);
  void LookForSocket();
  void Reap();

  const Variant variant_;
  const InstanceOptions options_;
  State state_ = State::kIdle;
  Cgroup group_;
  Child child_;
  UnixMillis started_ = 0;
  bool reaped_ = false, ended_by_signal_ = false;
  std::string end_;
  std::optional<TerminalLines> output_, error_;
  std::vector<Line> lines_;
  std::deque<std::string> last_lines_;
};

}  // namespace headrace::jobs
