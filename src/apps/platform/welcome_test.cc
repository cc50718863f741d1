#include "apps/platform/welcome.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/platform/metrics_page.h"
#include "aws/digest.h"

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

TEST(WelcomeTest, TellsBrowsersFromClients) {
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

TEST(WelcomeTest, SaysWhatThisIsAndRepeatsNoHtml) {
  const auto root = WelcomePage(Get("/", "text/html"), "headrace env");
  EXPECT_EQ(root.status, 200);
  EXPECT_THAT(std::get<std::string>(root.body), HasSubstr("eval \"$(headrace env)\""));
  const auto other = WelcomePage(Get("/<script>", "text/html"), "headrace env --data-dir <b>");
  EXPECT_EQ(other.status, 403);
  EXPECT_THAT(std::get<std::string>(other.body), HasSubstr("must be signed"));
  EXPECT_THAT(std::get<std::string>(other.body), Not(HasSubstr("<script>")));
  EXPECT_THAT(std::get<std::string>(other.body), Not(HasSubstr("<b>")));
}

std::string Policy(const http::Response& response) { return response.headers.Get("Content-Security-Policy"); }

TEST(MetricsPageTest, NamesTheCommandsAndRunsNoScriptButItsOwn) {
  const auto response = MetricsPage(Get("/cloudwatch/home", "text/html"), "headrace env --data-dir <b>");
  const std::string page = std::get<std::string>(response.body);
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(page, HasSubstr("headrace metrics <span class=\"job\">JOB</span>"));
  EXPECT_THAT(page, Not(HasSubstr("<b>")));

  const size_t begin = page.find("<script>") + 8;
  const std::string script = page.substr(begin, page.find("</script>") - begin);
  EXPECT_THAT(script, HasSubstr("location.hash"));
  EXPECT_EQ(Policy(response), "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-" +
                                  aws::Base64(aws::Sha256(script)) + "'");
}

}  // namespace
}  // namespace headrace::apps
