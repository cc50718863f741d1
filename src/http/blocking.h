// OnPool: runs what blocks (SQLite, files, archives) on a thread pool, while the coroutine that asks waits without
// holding a thread of the server.
//
//   auto object = co_await OnPool(pool, [&] { return store.Find(bucket, key); });
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/thread_pool.h"
#include "http/message.h"

namespace headrace::http {

// Returns when `work` has run; false, at once, when the pool's queue is full. `work` must not throw.
Task<bool> RunOnPool(ThreadPool& pool, const std::function<void()>& work);

// The coroutine that asks goes on after so long; its thread does other things.
Task<void> Sleep(std::chrono::milliseconds duration);

namespace internal {
template <typename T>
struct PoolResult {
  using Type = Result<T>;
};
template <typename T>
struct PoolResult<Result<T>> {
  using Type = Result<T>;
};
}  // namespace internal

// What `work` returns, as a Result: kUnavailable when the pool's queue is full. What it throws is thrown here.
template <typename Work>
auto OnPool(ThreadPool& pool, Work work) -> Task<typename internal::PoolResult<std::invoke_result_t<Work&>>::Type> {
  using Returned = std::invoke_result_t<Work&>;
  using Outcome = typename internal::PoolResult<Returned>::Type;
  std::optional<Outcome> outcome;
  std::exception_ptr failure;
  // Named: GCC 12 destroys some temporaries of an awaiting expression twice.
  const std::function<void()> task = [&] {
    try {
      if constexpr (std::is_void_v<Returned>) {
        work();
        outcome.emplace();
      } else {
        outcome.emplace(work());
      }
    } catch (...) {
      failure = std::current_exception();
    }
  };
  const bool ran = co_await RunOnPool(pool, task);
  if (!ran) co_return Fail(ErrorCode::kUnavailable, "the server is busy: too much work is queued; try again");
  if (failure) std::rethrow_exception(failure);
  co_return std::move(*outcome);
}

}  // namespace headrace::http
