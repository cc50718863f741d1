#include "jobs/supervisor/pulse.h"

#include <chrono>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace headrace::jobs {

Pulse::Pulse(const std::string& path) : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)) {
  Beat();
  ticker_.Start(std::chrono::seconds(1), [this] { Beat(); });
}

void Pulse::Beat() {
  const auto text = fmt::format("{:16} {:16}\n", ::getpid(), ++beat_);
  [[maybe_unused]] const auto written = ::pwrite(file_.get(), text.data(), text.size(), 0);
}

}  // namespace headrace::jobs
