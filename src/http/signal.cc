#include "http/signal.h"

#include <memory>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/waiting_coroutine.h"

namespace headrace::http {
namespace {

namespace net = boost::asio;

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
        auto sleeper = std::make_shared<WaitingCoroutine<decltype(handler)>>(std::move(handler));
        {
          const std::lock_guard lock(mutex_);
          if (!std::exchange(set_, false)) {
            wake_ = [sleeper] { sleeper->Resume(); };
            return;
          }
        }
        sleeper->Resume();
      },
      net::use_awaitable);
}

}  // namespace headrace::http
