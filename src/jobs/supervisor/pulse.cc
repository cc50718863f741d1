#include "jobs/supervisor/pulse.h"

#include <chrono>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace headrace::jobs {

Pulse::Pulse(const std::string& path)
    : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)), thread_([this] { Beat(); }) {}

Pulse::~Pulse() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  wakeup_.notify_all();
  thread_.join();
}

void Pulse::Beat() {
  std::unique_lock lock(mutex_);
  for (int64_t beat = 1; !ended_; ++beat) {
    const auto text = fmt::format("{:16} {:16}\n", ::getpid(), beat);
    [[maybe_unused]] const auto written = ::pwrite(file_.get(), text.data(), text.size(), 0);
    wakeup_.wait_for(lock, std::chrono::seconds(1), [this] { return ended_; });
  }
}

}  // namespace headrace::jobs
