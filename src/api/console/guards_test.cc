#include "api/console/guards.h"

#include <gmock/gmock.h>

namespace headrace::api::console {
namespace {

http::Request Post() {
  http::Request request;
  request.method = "POST";
  request.peer = "127.0.0.1:50000";
  request.headers.Set("Host", "127.0.0.1:4567");
  request.headers.Set("X-Headrace-Console", "1");
  request.headers.Set("Origin", "http://127.0.0.1:4567");
  return request;
}

TEST(SessionCookie, IsFoundAmongOthers) {
  http::Request request;
  EXPECT_EQ(SessionCookie(request), "");
  request.headers.Set("Cookie", "a=1; headrace-session=abc; b=2");
  EXPECT_EQ(SessionCookie(request), "abc");
  request.headers.Set("Cookie", "x-headrace-session=no;headrace-session2=no");
  EXPECT_EQ(SessionCookie(request), "");
  request.headers.Set("cookie", ";;=;headrace-session=last");
  EXPECT_EQ(SessionCookie(request), "last");
}

TEST(SessionCookie, IsForThisSiteAndNoScript) {
  EXPECT_EQ(MakeSessionCookie("abc", false),
            "headrace-session=abc; Path=/console; Max-Age=43200; HttpOnly; SameSite=Strict");
  EXPECT_EQ(MakeSessionCookie("", true),
            "headrace-session=; Path=/console; Max-Age=0; HttpOnly; SameSite=Strict; Secure");
}

TEST(RefuseForeignPage, TakesOwnPagesOnly) {
  http::Request request = Post();
  EXPECT_FALSE(RefuseForeignPage(request));
  request.headers.Set("Origin", "http://evil.example");
  EXPECT_EQ(RefuseForeignPage(request)->status, 403);
  request.headers.Set("Origin", "https://127.0.0.1:4567");  // another scheme is another site
  EXPECT_TRUE(RefuseForeignPage(request));
  request.headers.Set("Origin", "null");
  EXPECT_TRUE(RefuseForeignPage(request));
  request = Post();
  request.headers.Remove("X-Headrace-Console");
  EXPECT_TRUE(RefuseForeignPage(request));
}

TEST(RefuseForeignPage, WantsToKnowWhoseAWishForAChangeIs) {
  http::Request request = Post();
  request.headers.Remove("Origin");
  for (const char* method : {"POST", "PUT", "DELETE"}) {
    request.method = method;
    EXPECT_TRUE(RefuseForeignPage(request)) << method;
  }
  request.method = "GET";
  EXPECT_FALSE(RefuseForeignPage(request));
}

TEST(RefusePlainNetwork, WantsTlsBeyondTheMachine) {
  http::Request request = Post();
  EXPECT_FALSE(RefusePlainNetwork(request));
  request.peer = "192.0.2.7:4000";
  EXPECT_EQ(RefusePlainNetwork(request)->status, 403);
  request.secure = true;
  EXPECT_FALSE(RefusePlainNetwork(request));
  request = Post();
  request.peer = "[::1]:4000";
  EXPECT_FALSE(RefusePlainNetwork(request));
}

}  // namespace
}  // namespace headrace::api::console
