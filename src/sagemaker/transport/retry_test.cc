#include "sagemaker/transport/retry.h"

#include <gtest/gtest.h>

namespace headrace::sagemaker {
namespace {

ServiceError ErrorWith(int status, std::string code, bool retryable = false) {
  ServiceError error(ErrorCode::kUnavailable, "x");
  error.status = status;
  error.service_code = std::move(code);
  error.retryable = retryable;
  return error;
}

TEST(Retry, TellsTransientThrottledAndLasting) {
  EXPECT_EQ(TroubleOf(ErrorWith(503, "ServiceUnavailable")), Trouble::kTransient);
  EXPECT_EQ(TroubleOf(ErrorWith(0, "ConnectionError", true)), Trouble::kTransient);
  EXPECT_EQ(TroubleOf(ErrorWith(0, "Cancelled")), Trouble::kNone);
  EXPECT_EQ(TroubleOf(ErrorWith(400, "ThrottlingException")), Trouble::kThrottled);
  EXPECT_EQ(TroubleOf(ErrorWith(503, "SlowDown")), Trouble::kThrottled);
  EXPECT_EQ(TroubleOf(ErrorWith(400, "RequestTimeout")), Trouble::kTransient);
  EXPECT_EQ(TroubleOf(ErrorWith(400, "ValidationException")), Trouble::kNone);
  EXPECT_EQ(TroubleOf(ErrorWith(501, "NotImplemented")), Trouble::kNone);
}

TEST(Retry, BackoffDoublesUpToTwentySeconds) {
  EXPECT_EQ(Backoff(Trouble::kTransient, 0, 1).count(), 50);
  EXPECT_EQ(Backoff(Trouble::kTransient, 3, 1).count(), 400);
  EXPECT_EQ(Backoff(Trouble::kTransient, 30, 1).count(), 20'000);
  EXPECT_EQ(Backoff(Trouble::kThrottled, 1, 0.5).count(), 1000);
}

TEST(Retry, TheQuotaRunsOutAndSuccessFillsIt) {
  RetryQuota quota;
  int retries = 0;
  while (quota.Acquire(Trouble::kTransient)) ++retries;
  EXPECT_EQ(retries, 500 / 14);
  const int before = quota.left();
  quota.Succeeded(14);
  EXPECT_EQ(quota.left(), before + 14);
  quota.Succeeded(0);
  EXPECT_EQ(quota.left(), before + 15);
  for (int i = 0; i < 1000; ++i) quota.Succeeded(0);
  EXPECT_EQ(quota.left(), 500);
}

}  // namespace
}  // namespace headrace::sagemaker
