// The console before services that only write down what they are asked.
#include "api/console/console.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "aws/testing/await.h"
#include "base/testing/temporary_directory.h"

namespace headrace::api {
namespace {

using http::Request;
using http::Response;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Keys : public aws::KeyLookup {
 public:
  explicit Keys(store::Principals& principals) : principals_(principals) {}
  std::optional<aws::SigningKey> Find(std::string_view id) const override {
    const auto key = principals_.FindKey(id);
    if (!key) return std::nullopt;
    return aws::SigningKey{
        key->secret_access_key,
        key->session_token,
        key->expires,
        {key->account_id, key->principal, key->access_key_id, "arn:aws:sts::1:assumed-role/x/" + key->principal}};
  }

 private:
  store::Principals& principals_;
};

class ConsoleTest : public testing::Test {
 protected:
  static Request Make(const std::string& method, const std::string& target) {
    Request request;
    request.method = method;
    request.target = target;
    request.path = target.substr(0, target.find('?'));
    request.query = target.find('?') == std::string::npos ? "" : target.substr(target.find('?') + 1);
    request.peer = "127.0.0.1:5";
    request.headers.Set("Host", "127.0.0.1:4567");
    request.headers.Set("X-Headrace-Console", "1");
    if (method != "GET") request.headers.Set("Origin", "http://127.0.0.1:4567");  // as browsers do
    return request;
  }
  Response Ask(Request request, const std::string& text = "") {
    if (!cookie_.empty()) request.headers.Set("Cookie", cookie_);
    aws::TextBody body(text);
    request.body = &body;
    return aws::Await(console_.Handle(request));
  }
  static json BodyOf(const Response& response) { return json::parse(std::get<std::string>(response.body)); }
  Response SignIn(const std::string& id, const std::string& secret) {
    Response response =
        Ask(Make("POST", "/console/session"), json{{"AccessKeyId", id}, {"SecretAccessKey", secret}}.dump());
    const std::string set = response.headers.Get("Set-Cookie");
    if (response.status == 200) cookie_ = set.substr(0, set.find(';'));
    return response;
  }
  Response SignIn() { return SignIn(key_.access_key_id, key_.secret_access_key); }

  http::Task<Response> Serve(Request& request) {
    asked_ = request;
    const auto body = co_await http::ReadAll(*request.body, 1 << 20);
    asked_body_ = body.value();
    co_return http::TextResponse(200, "text/html", "answer");
  }

  TemporaryDirectory directory_;
  ManualClock clock_{1'767'225'600'000}, steady_{1};
  std::unique_ptr<store::Database> database_ = store::Database::Open(directory_ / "meta.db").value();
  store::Principals principals_{*database_, clock_};
  Keys keys_{principals_};
  ThreadPool pool_{1, 10};
  Request asked_;
  std::string asked_body_, cookie_;
  Console console_{{keys_, principals_, *database_, pool_, clock_, steady_,
                    [this](Request& request) { return Serve(request); }, "eu-west-1"}};
  store::AccessKey key_ = principals_.Create("alice").value();
};

TEST_F(ConsoleTest, KeysBecomeASession) {
  const Response response = SignIn();
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.headers.Get("Set-Cookie"), HasSubstr("HttpOnly; SameSite=Strict"));
  EXPECT_EQ(BodyOf(response)["User"], "alice");
  EXPECT_EQ(BodyOf(Ask(Make("GET", "/console/session")))["AccountId"], key_.account_id);
}

TEST_F(ConsoleTest, WrongKeysAreRefusedAlike) {
  const Response secret = SignIn(key_.access_key_id, "wrong"), unknown = SignIn("AKIAUNKNOWN", "wrong");
  EXPECT_EQ(secret.status, 403);
  EXPECT_EQ(BodyOf(secret), BodyOf(unknown));
  EXPECT_FALSE(secret.headers.Has("Set-Cookie"));
  EXPECT_EQ(Ask(Make("POST", "/console/session"), "no json").status, 403);
  EXPECT_EQ(Ask(Make("POST", "/console/session"), std::string(100'000, 'x')).status, 400);
}

TEST_F(ConsoleTest, ASignInTakesNoIdentifierThatABrowserBrings) {
  SignIn();
  const std::string planted = cookie_;  // of a session that somebody else opened, or of none
  SignIn();
  EXPECT_NE(cookie_, planted);
  cookie_ = "headrace-session=chosen";
  SignIn();
  EXPECT_NE(cookie_, "headrace-session=chosen");
  cookie_ = "headrace-session=chosen";
  EXPECT_EQ(Ask(Make("GET", "/console/session")).status, 401);
}

TEST_F(ConsoleTest, SignsInOverTlsOrOnThisMachine) {
  Request request = Make("POST", "/console/session");
  request.peer = "192.0.2.1:5";
  const json keys{{"AccessKeyId", key_.access_key_id}, {"SecretAccessKey", key_.secret_access_key}};
  EXPECT_EQ(Ask(request, keys.dump()).status, 403);
  request.secure = true;
  request.headers.Set("Origin", "https://127.0.0.1:4567");
  const Response response = Ask(request, keys.dump());
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.headers.Get("Set-Cookie"), HasSubstr("Secure"));
}

TEST_F(ConsoleTest, WhatAPageAsksIsSignedWithTheSessionsCredentials) {
  SignIn();
  const Response response = Ask(Make("POST", "/console/api/sagemaker/ListTrainingJobs"), R"({"MaxResults":1})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(asked_.path, "/");
  EXPECT_EQ(asked_.headers.Get("X-Amz-Target"), "SageMaker.ListTrainingJobs");
  EXPECT_EQ(asked_body_, R"({"MaxResults":1})");
  EXPECT_THAT(asked_.headers.Get("Authorization"), HasSubstr("/eu-west-1/sagemaker/aws4_request"));
  EXPECT_THAT(asked_.headers.Get("Authorization"), HasSubstr("Credential=ASIA"));
  EXPECT_FALSE(asked_.headers.Has("Cookie"));
}

TEST_F(ConsoleTest, AnInvocationMayNameAVariant) {
  SignIn();
  Request request = Make("POST", "/console/endpoints/e/invocations");
  request.headers.Set("X-Amzn-SageMaker-Target-Variant", "second");
  request.headers.Set("X-Amzn-SageMaker-Session-Id", "x");
  EXPECT_EQ(Ask(request, "{}").status, 200);
  EXPECT_EQ(asked_.headers.Get("X-Amzn-SageMaker-Target-Variant"), "second");
  EXPECT_FALSE(asked_.headers.Has("X-Amzn-SageMaker-Session-Id"));
}

TEST_F(ConsoleTest, NothingIsAskedWithoutASession) {
  for (const char* target :
       {"/console/api/sagemaker/ListTrainingJobs", "/console/objects/b/k", "/console/endpoints/e/invocations"})
    EXPECT_EQ(Ask(Make("POST", target)).status, 401) << target;
  cookie_ = "headrace-session=" + std::string(64, '0');
  EXPECT_EQ(Ask(Make("POST", "/console/api/sagemaker/ListTrainingJobs")).status, 401);
  EXPECT_TRUE(asked_.method.empty());
}

TEST_F(ConsoleTest, OtherSitesPagesAskNothing) {
  SignIn();
  Request forged = Make("POST", "/console/api/sagemaker/StopTrainingJob");
  forged.headers.Remove("X-Headrace-Console");
  EXPECT_EQ(Ask(forged, "{}").status, 403);
  forged = Make("DELETE", "/console/objects/b/k");
  forged.headers.Set("Origin", "http://evil.example");
  EXPECT_EQ(Ask(forged).status, 403);
  EXPECT_TRUE(asked_.method.empty());
}

TEST_F(ConsoleTest, ObjectsComeAsDataAndNeverAsPages) {
  SignIn();
  Request link = Make("GET", "/console/objects/bucket/a%20b.svg?versionId=null");
  link.headers.Remove("X-Headrace-Console");  // as a browser follows a link
  link.headers.Set("Range", "bytes=0-9");
  const Response response = Ask(link);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(asked_.target, "/bucket/a%20b.svg?versionId=null");
  EXPECT_EQ(asked_.headers.Get("Range"), "bytes=0-9");
  EXPECT_THAT(response.headers.Get("Content-Security-Policy"), HasSubstr("sandbox"));
  EXPECT_EQ(response.headers.Get("Content-Disposition"), "attachment");
  EXPECT_EQ(response.headers.Get("X-Content-Type-Options"), "nosniff");
}

TEST_F(ConsoleTest, SignOutEndsTheSessionAndItsCredentials) {
  SignIn();
  Ask(Make("POST", "/console/api/sagemaker/ListTrainingJobs"), "{}");
  const std::string authorization = asked_.headers.Get("Authorization");
  const std::string id =
      authorization.substr(authorization.find("ASIA"), authorization.find('/') - authorization.find("ASIA"));
  EXPECT_TRUE(principals_.FindKey(id));
  EXPECT_EQ(Ask(Make("DELETE", "/console/session")).status, 200);
  EXPECT_FALSE(principals_.FindKey(id));
  EXPECT_EQ(Ask(Make("GET", "/console/session")).status, 401);
}

TEST_F(ConsoleTest, RevokedKeysEndTheirSessionsCredentials) {
  SignIn();
  Ask(Make("POST", "/console/api/sagemaker/ListTrainingJobs"), "{}");
  ASSERT_TRUE(principals_.Revoke("alice"));
  const std::string authorization = asked_.headers.Get("Authorization");
  EXPECT_FALSE(principals_.FindKey(
      authorization.substr(authorization.find("ASIA"), authorization.find('/') - authorization.find("ASIA"))));
}

TEST_F(ConsoleTest, ALinkSignsInOnce) {
  aws::Call call;
  call.caller = {key_.account_id, "alice", key_.access_key_id, "arn:aws:iam::1:user/alice"};
  call.endpoint = "http://127.0.0.1:4567";
  const auto link = console_.Service().operations.at("CreateSignInLink")(call, {});
  ASSERT_TRUE(link);
  const std::string url = link->at("Url");
  ASSERT_THAT(url, StartsWith("http://127.0.0.1:4567/console#ticket="));
  const std::string body = json{{"Ticket", url.substr(url.find('=') + 1)}}.dump();
  EXPECT_EQ(Ask(Make("POST", "/console/session"), body).status, 200);
  EXPECT_EQ(Ask(Make("POST", "/console/session"), body).status, 403);
}

TEST_F(ConsoleTest, EveryPlaceIsThePage) {
  for (const char* place :
       {"/console/jobs", "/console/jobs/x?tab=logs", "/console/endpoints/e", "/console", "/cloudwatch/home?region=x"}) {
    const Response response = Ask(Make("GET", place));
    EXPECT_EQ(response.status, 200) << place;
    EXPECT_THAT(response.headers.Get("Content-Security-Policy"), HasSubstr("default-src 'self'"));
    EXPECT_THAT(response.headers.Get("Content-Security-Policy"), Not(HasSubstr("unsafe")));
    EXPECT_EQ(response.headers.Get("X-Frame-Options"), "DENY");
  }
  EXPECT_EQ(Ask(Make("PUT", "/console/jobs")).status, 405);
  EXPECT_EQ(Ask(Make("GET", "/console/assets/0/app.js")).status, 404);
}

TEST_F(ConsoleTest, SignedRequestsAreTheServices) {
  Request request = Make("GET", "/console/key");  // a bucket may be called console
  EXPECT_TRUE(Console::Wants(request));
  request.headers.Set("Authorization", "AWS4-HMAC-SHA256 …");
  EXPECT_FALSE(Console::Wants(request));
  request = Make("GET", "/console/key?X-Amz-Signature=1");
  EXPECT_FALSE(Console::Wants(request));
  request = Make("GET", "/");
  EXPECT_FALSE(Console::Wants(request));  // a client that lists buckets without a signature gets S3's answer
  request.headers.Set("Accept", "text/html");
  EXPECT_TRUE(Console::Wants(request));
}

}  // namespace
}  // namespace headrace::api
