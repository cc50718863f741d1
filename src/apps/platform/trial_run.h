// Tries a program as a job would run it: in the sandbox, where there is one.
#pragma once

#include <string>
#include <vector>

namespace headrace::apps {

struct TrialOutcome {
  bool worked = false;
  std::string said;     // the last line of its standard error, or why it was not started
  std::string printed;  // the last line of its standard output
};

class TrialRun {
 public:
  // `sandboxed`: whether sandboxes can be made here, and are wanted. Makes a directory that goes with this.
  explicit TrialRun(bool sandboxed);
  TrialRun(const TrialRun&) = delete;
  TrialRun& operator=(const TrialRun&) = delete;
  ~TrialRun();

  // Runs a shell's command in that directory, which is /tmp inside; `shown` are paths of this machine that it may read.
  TrialOutcome Shell(const std::string& command, const std::vector<std::string>& shown) const;
  // A file in the directory.
  bool Write(const std::string& name, const std::string& text) const;

 private:
  const bool sandboxed_;
  std::string directory_;
};

}  // namespace headrace::apps
