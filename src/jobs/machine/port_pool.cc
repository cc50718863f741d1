#include "jobs/machine/port_pool.h"

#include <random>

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/descriptor.h"

namespace headrace::jobs {
namespace {

// Below those that the kernel gives to whoever asks for any (net.ipv4.ip_local_port_range).
constexpr int kFirst = 20'000, kLast = 31'999;

bool IsFree(int port) {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(static_cast<uint16_t>(port));
  any.sin_addr.s_addr = htonl(INADDR_ANY);
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0;
}

}  // namespace

// Another server of this machine begins elsewhere.
PortPool::PortPool() : next_(kFirst + static_cast<int>(std::random_device()() % (kLast - kFirst))) {}

std::vector<int> PortPool::Take(size_t count) {
  const std::lock_guard lock(mutex_);
  std::vector<int> ports;
  for (int tried = kFirst; tried <= kLast && ports.size() < count; ++tried) {
    const int port = next_;
    next_ = next_ == kLast ? kFirst : next_ + 1;
    if (taken_.count(port) == 0 && IsFree(port)) ports.push_back(port);
  }
  if (ports.size() < count) return {};
  taken_.insert(ports.begin(), ports.end());
  return ports;
}

void PortPool::GiveBack(const std::vector<int>& ports) {
  const std::lock_guard lock(mutex_);
  for (const int port : ports) taken_.erase(port);
}

}  // namespace headrace::jobs
