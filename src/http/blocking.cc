#include "http/blocking.h"

#include <memory>

#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/waiting_coroutine.h"

namespace headrace::http {
namespace {

namespace net = boost::asio;

}  // namespace

Task<bool> RunOnPool(ThreadPool& pool, const std::function<void()>& work) {
  co_return co_await net::async_initiate<const net::use_awaitable_t<>, void(bool)>(
      [&pool, &work](auto handler) {
        auto waiting = std::make_shared<WaitingCoroutine<decltype(handler)>>(std::move(handler));
        const bool queued = pool.TryPost([waiting, &work] {
          work();
          waiting->Resume(true);
        });
        if (!queued) waiting->Resume(false);
      },
      net::use_awaitable);
}

Task<void> Sleep(std::chrono::milliseconds duration) {
  net::steady_timer timer(co_await net::this_coro::executor, duration);
  co_await timer.async_wait(net::use_awaitable);
}

}  // namespace headrace::http
