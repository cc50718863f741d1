// Which failures are tried again, when, and how often: botocore's standard mode. Three attempts; a wait of a random
// part of base * 2^n, at most 20 s, with a base of 50 ms, or of a second where the service asks for less; and a quota
// of 500 that all calls share, so that a service in trouble is not asked three times as much.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string_view>

#include "sagemaker/transport/http.h"

namespace headrace::sagemaker {

enum class Trouble { kNone, kTransient, kThrottled };

// What an error is to a retry.
Trouble TroubleOf(const ServiceError& error);
Trouble TroubleOf(int status, std::string_view service_code);  // of an answer

// Whether a service's code says that the request's time is not its own.
bool SaysClockIsWrong(std::string_view service_code);

// `random` in [0, 1]; `retry`: 0 for the first.
std::chrono::milliseconds Backoff(Trouble trouble, int retry, double random);

class RetryQuota {
 public:
  // What a retry takes; nothing when the quota has not so much left.
  std::optional<int> Acquire(Trouble trouble);
  // A call has succeeded that had taken so much for its last retry; 0: without one.
  void Succeeded(int acquired);
  int left() const;

 private:
  static constexpr int kCapacity = 500;
  mutable std::mutex mutex_;
  int left_ = kCapacity;
};

}  // namespace headrace::sagemaker
