#include "data/pipe/fifo_source.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace headrace::data {
namespace {

constexpr std::chrono::milliseconds kLookAtStop{50};

class FifoSource : public ByteSource {
 public:
  FifoSource(Descriptor fifo, std::string name, std::chrono::milliseconds wait, StopFlag stop)
      : fifo_(std::move(fifo)), name_(std::move(name)), wait_(wait), stop_(std::move(stop)) {}

  Result<size_t> Read(char* out, size_t size) override {
    // Without a writer a read would say "end of file"; only poll tells that none has come yet.
    if (!std::exchange(had_writer_, true)) HEADRACE_TRY(WaitForBytes());
    while (true) {
      const ssize_t n = ::read(fifo_.get(), out, size);
      if (n >= 0) return static_cast<size_t>(n);
      if (errno == EAGAIN)
        HEADRACE_TRY(WaitForBytes());
      else if (errno != EINTR)
        return Fail(ErrorCode::kUnavailable, "{}: cannot read: {}", name_, std::strerror(errno));
    }
  }

 private:
  Status WaitForBytes() {
    const auto end = std::chrono::steady_clock::now() + wait_;
    pollfd waiting{fifo_.get(), POLLIN, 0};
    const auto at_once = static_cast<int>(std::clamp(wait_, std::chrono::milliseconds(1), kLookAtStop).count());
    while (::poll(&waiting, 1, at_once) <= 0) {
      if (stop_ && stop_->load()) return Fail(ErrorCode::kUnavailable, "{}: reading was stopped", name_);
      if (std::chrono::steady_clock::now() >= end)
        return Fail(ErrorCode::kUnavailable, "{}: nothing came for {} s: its writer is gone or stuck", name_,
                    static_cast<double>(wait_.count()) / 1000);
    }
    return {};
  }

  Descriptor fifo_;
  std::string name_;
  std::chrono::milliseconds wait_;
  StopFlag stop_;
  bool had_writer_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> ReadFifo(Descriptor fifo, std::string name, std::chrono::milliseconds wait, StopFlag stop) {
  return std::make_unique<FifoSource>(std::move(fifo), std::move(name), wait, std::move(stop));
}

}  // namespace headrace::data
