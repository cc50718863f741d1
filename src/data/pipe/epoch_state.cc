#include "data/pipe/epoch_state.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace headrace::data {
namespace {

using Clock = std::chrono::steady_clock;

// Short sleeps at first: the feeder may be a few microseconds behind, and an epoch only 100 long.
class Backoff {
 public:
  Backoff(std::chrono::milliseconds longest, const StopFlag& stop) : end_(Clock::now() + longest), stop_(stop) {}
  // False when there is no more time.
  bool Wait() {
    if ((stop_ && stop_->load()) || Clock::now() >= end_) return false;
    std::this_thread::sleep_for(pause_);
    pause_ = std::min<std::chrono::microseconds>(2 * pause_, kLongest);
    return true;
  }

 private:
  static constexpr std::chrono::microseconds kFirst{20}, kLongest{10000};
  Clock::time_point end_;
  const StopFlag& stop_;
  std::chrono::microseconds pause_ = kFirst;
};

tl::unexpected<Error> FailErrno(const std::string& path, const char* what) {
  const int error = errno;
  return Fail(ErrorCode::kFailedPrecondition, "{}: cannot {}: {}", path, what, std::strerror(error));
}

// The lock goes with the descriptor. Several threads of one process exclude each other as well.
Result<Descriptor> Lock(const PipeChannel& channel, Backoff& backoff) {
  const std::string path = channel.state_dir + "/." + channel.name + "-pipe_mode-lock";
  Descriptor lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!lock) return FailErrno(path, "open");
  while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return FailErrno(path, "lock");
    if (!backoff.Wait())
      return Fail(ErrorCode::kUnavailable, "{}: still locked by another reader of channel {} after {} s", path,
                  channel.name, channel.wait.count() / 1000);
  }
  return lock;
}

// A file that is not there, or empty, says 0.
Result<int64_t> ReadNumber(const Descriptor& state, const std::string& path) {
  char text[32];
  const ssize_t n = ::pread(state.get(), text, sizeof text, 0);
  if (n < 0) return FailErrno(path, "read");
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text, text + n, number);
  if (n > 0 && (error != std::errc() || number < 0 || (end != text + n && *end != '\n')))
    return Fail(ErrorCode::kDataLoss, "{}: found \"{}\", wanted the number of an epoch", path,
                std::string_view(text, static_cast<size_t>(n)));
  return number;
}

Status WriteNumber(const Descriptor& state, const std::string& path, int64_t number) {
  const std::string text = std::to_string(number);
  if (::pwrite(state.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      ::ftruncate(state.get(), static_cast<off_t>(text.size())) != 0)
    return FailErrno(path, "write");
  return {};
}

Result<Descriptor> OpenFifo(const PipeChannel& channel, const std::string& path, Backoff& backoff) {
  while (true) {
    Descriptor fifo(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (fifo) return fifo;
    if (errno != ENOENT && errno != EINTR) return FailErrno(path, "open");
    if (!backoff.Wait())
      return Fail(ErrorCode::kUnavailable,
                  "channel {}: File does not exist: {} (waited {} s for the platform to make it)", channel.name, path,
                  channel.wait.count() / 1000);
  }
}

}  // namespace

Result<OpenEpoch> TakeNextEpoch(const PipeChannel& channel, const StopFlag& stop) {
  Backoff backoff(channel.wait, stop);
  HEADRACE_TRY(MakeDirectories(channel.state_dir));
  HEADRACE_ASSIGN(const Descriptor lock, Lock(channel, backoff));
  const std::string path = channel.state_dir + "/." + channel.name + "-pipe_mode-state";
  const Descriptor state(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!state) return FailErrno(path, "open");

  OpenEpoch epoch;
  HEADRACE_ASSIGN(epoch.number, ReadNumber(state, path));
  epoch.path = channel.pipe_dir + "/" + channel.name + "_" + std::to_string(epoch.number);
  HEADRACE_ASSIGN(epoch.fifo, OpenFifo(channel, epoch.path, backoff));
  HEADRACE_TRY(WriteNumber(state, path, epoch.number + 1));
  return epoch;
}

}  // namespace headrace::data
