#include "http/access_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "http/metrics.h"

namespace headrace::http {
namespace {

using testing::HasSubstr;
using testing::Not;

Request Example() {
  Request request;
  request.id = "ID";
  request.method = "GET";
  request.path = "/b/a b\n";
  request.query = "x-id=GetObject&X-Amz-Signature=abc&x%2damz-Security-Token=def&Signature=ghi";
  request.peer = "127.0.0.1:5";
  request.received = 1767323045678;
  request.log_detail = "s3 GetObject";
  return request;
}

TEST(AccessLogTest, TellsWhatHappenedAndNoSecret) {
  const Request request = Example();
  EXPECT_EQ(AccessLine({request, 200, 1, 2, 0.0041, true}),
            "2026-01-02T03:04:05.678Z ID 127.0.0.1:5 GET "
            "/b/a%20b%0A?x-id=GetObject&X-Amz-Signature=...&x%2damz-Security-Token=...&Signature=... 200 in=1 out=2 "
            "4.1ms s3 GetObject");
}

TEST(MetricsTest, CountsByOperationAndTime) {
  const Request request = Example();
  Metrics metrics;
  metrics.Observe({request, 200, 10, 20, 0.004, true});
  metrics.Observe({request, 200, 10, 20, 0.2, true});
  metrics.Observe({request, 404, 0, 5, 100, false});
  const std::string text = metrics.Render(7);
  EXPECT_THAT(text,
              HasSubstr("headrace_http_requests_total{service=\"s3\",operation=\"GetObject\",status=\"200\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("headrace_http_request_seconds_bucket{service=\"s3\",le=\"0.005\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("headrace_http_request_seconds_bucket{service=\"s3\",le=\"60\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("headrace_http_request_seconds_bucket{service=\"s3\",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("headrace_http_sent_bytes_total 45\n"));
  EXPECT_THAT(text, HasSubstr("headrace_http_incomplete_responses_total 1\n"));
  EXPECT_THAT(text, HasSubstr("headrace_http_open_connections 7\n"));
}

TEST(AccessLogTest, BeginsAnewBeforeItFillsTheDisk) {
  const TemporaryDirectory directory;
  const auto log = AccessLog::Open(directory / "access.log", 5000);
  ASSERT_TRUE(log);
  Request request = Example();
  request.path = "/" + std::string(100'000, 'x');
  for (int i = 0; i < 10; ++i) (*log)->Write({request, 200, 0, 0, 0, true});
  const std::string now = *ReadFile(directory / "access.log"), last = *ReadFile(directory / "access.log.1");
  EXPECT_LT(now.size() + last.size(), 12'000U);
  EXPECT_GT(last.size(), 4000U);
}

TEST(MetricsTest, ManyNamesDoNotFillTheMemory) {
  Metrics metrics;
  Request request = Example();
  for (int i = 0; i < 10'000; ++i) {
    request.log_detail = fmt::format("s3 Op{}", i);
    metrics.Observe({request, 200, 0, 0, 0, true});
  }
  const std::string text = metrics.Render(0);
  EXPECT_THAT(text, HasSubstr("operation=\"other\""));
  EXPECT_THAT(text, Not(HasSubstr("Op9999")));
}

}  // namespace
}  // namespace headrace::http
