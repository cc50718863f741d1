// Pulse: by which the platform sees that a supervisor is not just there, but runs.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "base/descriptor.h"

namespace headrace::jobs {

// Changes the file about once a second, in place: it needs no room on the disk once it is there.
class Pulse {
 public:
  explicit Pulse(const std::string& path);
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;
  ~Pulse();

 private:
  void Beat();

  Descriptor file_;
  std::mutex mutex_;
  std::condition_variable wakeup_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace headrace::jobs
