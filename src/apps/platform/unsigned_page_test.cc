#include "apps/platform/unsigned_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::apps {
namespace {

using testing::HasSubstr;
using testing::Not;

http::Request Get(const std::string& path, const std::string& accept) {
  http::Request request;
  request.method = "GET";
  request.path = request.target = path;
  request.headers.Add("Accept", accept);
  return request;
}

TEST(UnsignedPageTest, TellsBrowsersFromClients) {
  auto request = Get("/", "text/html,application/xhtml+xml,*/*;q=0.8");
  EXPECT_TRUE(IsFromBrowser(request));
  EXPECT_FALSE(IsFromBrowser(Get("/", "*/*")));
  request.headers.Add("Authorization", "AWS4-HMAC-SHA256 …");
  EXPECT_FALSE(IsFromBrowser(request));
  request = Get("/bucket/key", "text/html");
  request.query = "X-Amz-Signature=0";  // a presigned URL, opened by hand
  EXPECT_FALSE(IsFromBrowser(request));
  request = Get("/", "text/html");
  request.method = "POST";
  EXPECT_FALSE(IsFromBrowser(request));
}

TEST(UnsignedPageTest, SaysWhatSignsAndRepeatsNoHtml) {
  const auto bucket = UnsignedPage(Get("/bucket", "text/html"), "headrace env");
  EXPECT_THAT(std::get<std::string>(bucket.body), HasSubstr("eval \"$(headrace env)\""));
  const auto other = UnsignedPage(Get("/<script>", "text/html"), "headrace env --data-dir <b>");
  EXPECT_EQ(other.status, 403);
  EXPECT_THAT(std::get<std::string>(other.body), HasSubstr("must be signed"));
  EXPECT_THAT(std::get<std::string>(other.body), Not(HasSubstr("<script>")));
  EXPECT_THAT(std::get<std::string>(other.body), Not(HasSubstr("<b>")));
}

}  // namespace
}  // namespace headrace::apps
