#include "sagemaker/transport/retry.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace headrace::sagemaker {
namespace {

constexpr int kTransientCost = 14, kThrottledCost = 5;

template <size_t kSize>
bool IsOneOf(const std::array<std::string_view, kSize>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::array<std::string_view, 13> kThrottling = {"Throttling",
                                                          "ThrottlingException",
                                                          "ThrottledException",
                                                          "RequestThrottledException",
                                                          "RequestThrottled",
                                                          "TooManyRequestsException",
                                                          "SlowDown",
                                                          "ProvisionedThroughputExceededException",
                                                          "RequestLimitExceeded",
                                                          "BandwidthLimitExceeded",
                                                          "LimitExceededException",
                                                          "PriorRequestNotComplete",
                                                          "TransactionInProgressException"};
constexpr std::array<std::string_view, 2> kTimeouts = {"RequestTimeout", "RequestTimeoutException"};
constexpr std::array<std::string_view, 5> kClocks = {"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture",
                                                     "InvalidSignatureException", "SignatureDoesNotMatch"};

}  // namespace

Trouble TroubleOf(int status, std::string_view service_code) {
  if (status == 429 || IsOneOf(kThrottling, service_code)) return Trouble::kThrottled;
  const bool unwell = status == 500 || status == 502 || status == 503 || status == 504;
  return unwell || IsOneOf(kTimeouts, service_code) ? Trouble::kTransient : Trouble::kNone;
}

Trouble TroubleOf(const ServiceError& error) {
  if (error.status != 0) return TroubleOf(error.status, error.service_code);
  return error.retryable ? Trouble::kTransient : Trouble::kNone;
}

bool SaysClockIsWrong(std::string_view service_code) { return IsOneOf(kClocks, service_code); }

std::chrono::milliseconds Backoff(Trouble trouble, int retry, double random) {
  constexpr double kTransientBase = 50, kThrottledBase = 1000, kCap = 20'000;
  const double base = trouble == Trouble::kThrottled ? kThrottledBase : kTransientBase;
  return std::chrono::milliseconds(static_cast<int64_t>(random * std::min(kCap, base * std::exp2(retry))));
}

std::optional<int> RetryQuota::Acquire(Trouble trouble) {
  const int cost = trouble == Trouble::kThrottled ? kThrottledCost : kTransientCost;
  const std::lock_guard lock(mutex_);
  if (left_ < cost) return std::nullopt;
  left_ -= cost;
  return cost;
}

void RetryQuota::Succeeded(int acquired) {
  const std::lock_guard lock(mutex_);
  left_ = std::min(kCapacity, left_ + std::max(acquired, 1));
}

int RetryQuota::left() const {
  const std::lock_guard lock(mutex_);
  return left_;
}

}  // namespace headrace::sagemaker
