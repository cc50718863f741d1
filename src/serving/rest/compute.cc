#include "serving/rest/compute.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/defer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace headrace::serving {
namespace {

namespace net = boost::asio;

// The coroutine that waits. Resumed on its own executor, whichever thread computed. All is deferred rather than posted:
// from one of the server's threads it stays on it, and no other one is woken.
template <typename Handler>
class Waiting {
 public:
  explicit Waiting(Handler handler)
      : handler_(std::move(handler)), work_(net::make_work_guard(net::get_associated_executor(handler_))) {}
  void Resume() {
    auto executor = work_.get_executor();
    net::defer(executor, [handler = std::move(handler_)]() mutable { std::move(handler)(); });
    work_.reset();
  }
  // The server's threads, not the connection's order: while one computes the connection can be cut.
  Batcher::Lend Threads() const {
    auto& threads = static_cast<net::io_context&>(net::query(work_.get_executor(), net::execution::context));
    return [&threads](std::function<void()> work) { net::defer(threads, std::move(work)); };
  }

 private:
  Handler handler_;
  net::executor_work_guard<net::associated_executor_t<Handler>> work_;
};

}  // namespace

http::Task<Batcher::Outputs> Compute(Batcher& batcher, std::shared_ptr<Servable> servable, size_t signature,
                                     std::vector<Tensor> inputs) {
  // Shared with the batcher: a cut connection destroys the coroutine while its rows are computed.
  auto outputs = std::make_shared<Batcher::Outputs>();
  co_await net::async_initiate<const net::use_awaitable_t<>, void()>(
      [&](auto handler) {
        auto waiting = std::make_shared<Waiting<decltype(handler)>>(std::move(handler));
        Status queued = batcher.Submit(
            std::move(servable), signature, std::move(inputs),
            [outputs, waiting](Batcher::Outputs computed) {
              *outputs = std::move(computed);
              waiting->Resume();
            },
            waiting->Threads());
        if (queued) return;
        *outputs = tl::unexpected<Error>(std::move(queued.error()));
        waiting->Resume();
      },
      net::use_awaitable);
  co_return std::move(*outputs);
}

}  // namespace headrace::serving
