#include "sagemaker/estimator/waiting.h"

#include <condition_variable>
#include <mutex>

#include "sagemaker/transport/http.h"

namespace headrace::sagemaker {

void Pause(std::chrono::milliseconds duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, stop, duration, [] { return false; });
  if (stop.stop_requested()) throw LocalError(ErrorCode::kUnavailable, "Cancelled", "the waiting was cancelled");
}

}  // namespace headrace::sagemaker
