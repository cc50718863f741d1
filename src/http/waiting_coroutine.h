// A coroutine that waits for another thread.
#pragma once

#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

namespace headrace::http {

// Made of the handler that async_initiate gives. Who drops it without Resume drops the coroutine too.
template <typename Handler>
class WaitingCoroutine {
 public:
  explicit WaitingCoroutine(Handler handler)
      : handler_(std::move(handler)),
        work_(boost::asio::make_work_guard(boost::asio::get_associated_executor(handler_))) {}

  // Once, on any thread: the coroutine goes on where it came from, with these results.
  template <typename... Results>
  void Resume(Results... results) {
    auto executor = work_.get_executor();
    boost::asio::post(executor,
                      [handler = std::move(handler_), results...]() mutable { std::move(handler)(results...); });
    work_.reset();
  }

 private:
  Handler handler_;
  boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> work_;
};

}  // namespace headrace::http
