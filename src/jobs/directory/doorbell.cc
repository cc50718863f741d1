#include "jobs/directory/doorbell.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace headrace::jobs {
namespace {

// Open for both, so that nobody waits for somebody at the other end.
Descriptor OpenFifo(const std::string& path) {
  Descriptor fifo(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (fifo && (::fstat(fifo.get(), &status) != 0 || !S_ISFIFO(status.st_mode))) fifo.Reset();
  return fifo;
}

}  // namespace

Doorbell::Doorbell(const std::string& path) {
  ::mkfifo(path.c_str(), 0600);
  fifo_ = OpenFifo(path);
}

void Doorbell::Answer() const {
  char rung[64];
  while (fifo_ && ::read(fifo_.get(), rung, sizeof rung) > 0) {
  }
}

void RingDoorbell(const std::string& path) {
  const Descriptor fifo(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  if (fifo) [[maybe_unused]]
    const ssize_t written = ::write(fifo.get(), "!", 1);
}

}  // namespace headrace::jobs
