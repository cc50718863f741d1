// The phases of named collectives in a timeline, under Horovod's names.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "horovod/communicator.h"
#include "horovod/timeline.h"

namespace headrace::hvd {

// Does nothing until it has a timeline. Any thread.
class CollectiveTrace {
 public:
  void WriteTo(Timeline& timeline) { timeline_.store(&timeline); }

  bool active() const {
    const Timeline* timeline = timeline_.load();
    return timeline != nullptr && timeline->active();
  }
  void Enqueued(const Collective& collective) const;                           // NEGOTIATE_… begins
  void AskedBy(int rank, const std::string& name) const;                       // seen by rank 0
  void Began(const std::vector<const Collective*>& parts, bool remote) const;  // null: not this rank's
  void Ended(const std::vector<const Collective*>& parts) const;

 private:
  std::atomic<Timeline*> timeline_{nullptr};
};

}  // namespace headrace::hvd
