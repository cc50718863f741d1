#include "jobs/hosting/wakeup.h"

#include <algorithm>

#include <sys/eventfd.h>
#include <unistd.h>

namespace headrace::jobs {
namespace {

constexpr UnixMillis kMostWaitMillis = 60'000;

}  // namespace

Wakeup::Wakeup() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Wakeup::Signal() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
}

void Wakeup::Wait(std::vector<pollfd> watched, UnixMillis now, UnixMillis until) {
  watched.push_back({event_.get(), POLLIN, 0});
  const UnixMillis wait = until == 0 ? kMostWaitMillis : std::clamp<UnixMillis>(until - now, 0, kMostWaitMillis);
  if (::poll(watched.data(), watched.size(), static_cast<int>(wait)) <= 0 || watched.back().revents == 0) return;
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t n = ::read(event_.get(), &count, sizeof count);
}

}  // namespace headrace::jobs
