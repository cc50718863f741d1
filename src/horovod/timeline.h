// Timeline: what rank 0 does with the other ranks, as Horovod writes it: an array of Chrome's trace events
// (chrome://tracing, Perfetto), valid JSON after every event. Each tensor is a row ("process") of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"

namespace headrace::hvd {

// Any thread may call any of these; without Start() they do nothing. What cannot be written ends the timeline with a
// warning, never the training.
class Timeline {
 public:
  // Overwrites the file. kFailedPrecondition when one is being written already.
  Status Start(const std::string& path, bool mark_cycles);
  void Stop();
  bool active() const;

  // Phases of a tensor, one in another: each Begin has its End.
  void Begin(const std::string& tensor, const std::string& phase);
  void End(const std::string& tensor);
  // With what was reduced: its type and shape.
  void End(const std::string& tensor, const std::string& dtype, const std::string& shape);
  // A point in time in a tensor's row.
  void Mark(const std::string& tensor, const std::string& what);
  // A step's beginning, when asked for.
  void MarkCycle();

 private:
  int64_t Now() const;                 // microseconds since Start
  int Row(const std::string& tensor);  // its pid; writes its name at first
  void Write(const std::string& event);
  void WriteMetadata(int pid, const std::string& name, const std::string& more);

  mutable std::mutex mutex_;
  Descriptor file_;
  int64_t offset_ = 0;  // where the closing bracket stands
  bool mark_cycles_ = false;
  std::chrono::steady_clock::time_point start_;
  std::map<std::string, int> rows_;
};

}  // namespace headrace::hvd
