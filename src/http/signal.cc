#include "http/signal.h"

#include <memory>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace headrace::http {
namespace {

namespace net = boost::asio;

// The coroutine that waits, which goes on where it came from.
template <typename Handler>
class Sleeper {
 public:
  explicit Sleeper(Handler handler)
      : handler_(std::move(handler)), work_(net::make_work_guard(net::get_associated_executor(handler_))) {}
  void Wake() {
    auto executor = work_.get_executor();
    net::post(executor, [handler = std::move(handler_)]() mutable { std::move(handler)(); });
    work_.reset();
  }

 private:
  Handler handler_;
  net::executor_work_guard<net::associated_executor_t<Handler>> work_;
};

}  // namespace

void Signal::Set() {
  std::function<void()> wake;
  {
    const std::lock_guard lock(mutex_);
    wake = std::exchange(wake_, nullptr);
    if (!wake) set_ = true;
  }
  if (wake) wake();
}

Task<void> Signal::Wait() {
  co_await net::async_initiate<const net::use_awaitable_t<>, void()>(
      [this](auto handler) {
        auto sleeper = std::make_shared<Sleeper<decltype(handler)>>(std::move(handler));
        {
          const std::lock_guard lock(mutex_);
          if (!std::exchange(set_, false)) {
            wake_ = [sleeper] { sleeper->Wake(); };
            return;
          }
        }
        sleeper->Wake();
      },
      net::use_awaitable);
}

}  // namespace headrace::http
