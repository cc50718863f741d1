// Pulse: by which the platform sees that a supervisor is not just there, but runs.
#pragma once

#include <cstdint>
#include <string>

#include "base/descriptor.h"
#include "base/ticker.h"

namespace headrace::jobs {

// Changes the file about once a second, in place: it needs no room on the disk once it is there.
class Pulse {
 public:
  explicit Pulse(const std::string& path);

 private:
  void Beat();

  Descriptor file_;
  int64_t beat_ = 0;
  Ticker ticker_;
};

}  // namespace headrace::jobs
