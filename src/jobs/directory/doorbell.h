// Doorbell: how a supervisor tells the platform that its job has ended. The platform looks at what is spooled from time
// to time; when the bell rings it looks at once. A FIFO in the job's directory: it outlives both processes, and nothing
// is lost when nobody listens, because whoever begins to listen looks first.
#pragma once

#include <string>

#include "base/descriptor.h"

namespace headrace::jobs {

class Doorbell {
 public:
  // Where there can be no FIFO, the bell never rings.
  explicit Doorbell(const std::string& path);

  // Readable once it has rung, until it is answered; -1 when it cannot ring.
  int descriptor() const { return fifo_.get(); }
  void Answer() const;

 private:
  Descriptor fifo_;
};

// Waits for nobody.
void RingDoorbell(const std::string& path);

}  // namespace headrace::jobs
