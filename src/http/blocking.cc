#include "http/blocking.h"

#include <memory>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace headrace::http {
namespace {

namespace net = boost::asio;

// The coroutine that waits, kept alive by the task: whoever drops the task unfinished drops the coroutine too.
template <typename Handler>
class Waiting {
 public:
  explicit Waiting(Handler handler)
      : handler_(std::move(handler)), work_(net::make_work_guard(net::get_associated_executor(handler_))) {}
  void Resume(bool ran) {
    auto executor = work_.get_executor();
    net::post(executor, [handler = std::move(handler_), ran]() mutable { std::move(handler)(ran); });
    work_.reset();
  }

 private:
  Handler handler_;
  net::executor_work_guard<net::associated_executor_t<Handler>> work_;
};

}  // namespace

Task<bool> RunOnPool(ThreadPool& pool, const std::function<void()>& work) {
  co_return co_await net::async_initiate<const net::use_awaitable_t<>, void(bool)>(
      [&pool, &work](auto handler) {
        auto waiting = std::make_shared<Waiting<decltype(handler)>>(std::move(handler));
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
