#include "sagemaker/clients/parallel.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

namespace headrace::sagemaker {

Outcome<void> DoInParallel(size_t count, int threads,
                           const std::function<Outcome<void>(size_t piece, const std::stop_token& stop)>& work) {
  std::atomic<size_t> next = 0;
  std::stop_source stop;
  std::mutex mutex;
  std::optional<ServiceError> first;
  const auto run = [&] {
    for (size_t piece = next++; piece < count && !stop.stop_requested(); piece = next++) {
      auto done = work(piece, stop.get_token());
      if (done.ok()) continue;
      const std::lock_guard lock(mutex);
      if (!first) first = done.error();
      stop.request_stop();
    }
  };
  {
    std::vector<std::jthread> others;
    const size_t wanted = std::min<size_t>(count, static_cast<size_t>(std::max(threads, 1)));
    for (size_t i = 1; i < wanted; ++i) others.emplace_back(run);
    run();
  }
  return first ? Outcome<void>(*first) : Outcome<void>();
}

}  // namespace headrace::sagemaker
