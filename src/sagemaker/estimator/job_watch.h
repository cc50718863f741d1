// JobWatch: a training job as the SDK shows it while fit() waits: each secondary status as it comes, the log lines of
// all hosts in the order of time, each host in a colour of its own, and the seconds at the end.
#pragma once

#include <string>

#include "sagemaker/estimator/log_follower.h"

namespace headrace::sagemaker {

struct WatchOptions {
  std::string job_name;
  bool logs = true;
  bool colour = false;
  Print print;
};

class JobWatch {
 public:
  JobWatch(WatchOptions options, Ask ask);

  // Looks once and prints what is new. False when the job has ended and its whole log is printed.
  bool Step();
  // What DescribeTrainingJob said last.
  const Json& job() const { return job_; }

 private:
  void PrintTransitions();
  void PrintSeconds() const;

  const WatchOptions options_;
  const Ask ask_;
  Json job_ = Json::object();
  bool ending_ = false;  // the job had ended at the last look
  size_t transitions_ = 0;
  std::string last_message_;
  LogFollower log_;
};

// Whether a TrainingJobStatus is one that a job keeps.
bool HasEnded(const std::string& status);

}  // namespace headrace::sagemaker
