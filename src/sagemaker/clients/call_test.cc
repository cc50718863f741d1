#include "sagemaker/clients/call.h"

#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/time.h"
#include "base/testing/source_directory.h"

namespace headrace::sagemaker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// A service that answers as it was told, and remembers what it was asked.
class ScriptedSender : public HttpSender {
 public:
  Outcome<HttpReply> Send(const HttpRequest& request, Deadline, const std::stop_token&) override {
    requests.push_back({request.method, request.url, request.headers});
    if (answers.empty()) return HttpReply{200, {}, "{}"};
    auto answer = answers.front();
    answers.pop_front();
    return answer;
  }

  struct Request {
    std::string method, url;
    std::vector<HttpHeader> headers;
    std::string Header(const std::string& name) const { return HttpReply{0, headers, {}}.Header(name); }
  };
  std::deque<Outcome<HttpReply>> answers;
  std::vector<Request> requests;
};

HttpReply Refusal(int status, const std::string& body, std::vector<HttpHeader> headers = {}) {
  headers.push_back({"x-amzn-RequestId", "r-1"});
  return {status, std::move(headers), body};
}

class CallTest : public testing::Test {
 protected:
  Outcome<HttpReply> CallIt(const ClientOptions& options = {}, const CallOptions& call = {}) {
    configuration_ = std::make_shared<Configuration>(
        options, Configuration::Seams{.environment = [this](const std::string& name) -> std::optional<std::string> {
                                        const auto found = variables_.find(name);
                                        return found == variables_.end() ? std::nullopt : std::optional(found->second);
                                      },
                                      .sender = sender_,
                                      .clock = clock_,
                                      .sleep = [this](std::chrono::milliseconds duration,
                                                      const std::stop_token&) { slept_.push_back(duration); }});
    const ServiceRequest request{.service = *FindService("sagemaker"), .operation = "ListModels", .body = "{}"};
    return Send(*configuration_, request, call);
  }

  std::map<std::string, std::string> variables_{{"AWS_ACCESS_KEY_ID", "AKID"},
                                                {"AWS_SECRET_ACCESS_KEY", "secret"},
                                                {"AWS_DEFAULT_REGION", "us-west-2"},
                                                {"AWS_CONFIG_FILE", "/dev/null"},
                                                {"AWS_SHARED_CREDENTIALS_FILE", "/dev/null"},
                                                {"AWS_EC2_METADATA_DISABLED", "true"}};
  std::shared_ptr<ScriptedSender> sender_ = std::make_shared<ScriptedSender>();
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>(*aws::ParseIso8601("2026-01-02T03:04:05Z"));
  std::vector<std::chrono::milliseconds> slept_;
  std::shared_ptr<Configuration> configuration_;
};

TEST_F(CallTest, SignsForTheServiceAndItsRegion) {
  ASSERT_TRUE(CallIt().ok());
  const auto& request = sender_->requests.at(0);
  EXPECT_EQ(request.url, "https://api.sagemaker.us-west-2.amazonaws.com/");
  EXPECT_THAT(request.Header("Authorization"), HasSubstr("Credential=AKID/20260102/us-west-2/sagemaker/aws4_request"));
}

TEST_F(CallTest, TriesAgainWhatS3FailedAtBehindItsStatus) {
  ASSERT_TRUE(CallIt().ok());  // makes the configuration
  const std::string error = "<?xml version=\"1.0\"?><Error><Code>InternalError</Code><Message>m</Message></Error>";
  const ServiceRequest request{.service = *FindService("s3"),
                               .operation = "CompleteMultipartUpload",
                               .method = "POST",
                               .bucket = "bucket",
                               .path = "/key"};
  sender_->requests.clear();
  sender_->answers = {Refusal(200, error), HttpReply{200, {}, "<CompleteMultipartUploadResult/>"}};
  EXPECT_TRUE(Send(*configuration_, request, {}).ok());
  EXPECT_EQ(sender_->requests.size(), 2u);
  sender_->answers = {Refusal(200, error), Refusal(200, error), Refusal(200, error)};
  const auto reply = Send(*configuration_, request, {});
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().service_code, "InternalError");
  EXPECT_TRUE(reply.error().retryable);
}

TEST_F(CallTest, TriesThreeTimesAfterTroubleThatMayPass) {
  const ServiceError broken = LocalError(ErrorCode::kUnavailable, "ConnectionError", "broken", true);
  sender_->answers = {broken, Refusal(503, ""), Refusal(500, "")};
  const auto reply = CallIt();
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(sender_->requests.size(), 3u);
  EXPECT_EQ(slept_.size(), 2u);
  EXPECT_EQ(reply.error().attempts, 3);
  EXPECT_EQ(reply.error().status, 500);
  EXPECT_TRUE(reply.error().retryable);
}

TEST_F(CallTest, ARefusalIsFinal) {
  sender_->answers = {
      Refusal(400, R"({"__type": "ns#ValidationException", "message": "Could not find model \"m\"."})")};
  const auto reply = CallIt();
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(sender_->requests.size(), 1u);
  EXPECT_EQ(reply.error().service_code, "ValidationException");
  EXPECT_EQ(reply.error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(reply.error().request_id, "r-1");
  EXPECT_EQ(reply.error().message(), "ListModels: ValidationException: Could not find model \"m\".");
}

TEST_F(CallTest, AttemptsAreBoundedByVariablesOptionsAndTheCall) {
  const auto attempts = [&](const ClientOptions& options, const CallOptions& call) {
    sender_->requests.clear();
    sender_->answers.assign(9, Refusal(503, ""));
    (void)CallIt(options, call);
    return sender_->requests.size();
  };
  variables_["AWS_MAX_ATTEMPTS"] = "4";
  EXPECT_EQ(attempts({}, {}), 4u);
  EXPECT_EQ(attempts({.max_attempts = 2}, {}), 2u);
  EXPECT_EQ(attempts({.max_attempts = 2}, {.max_attempts = 1}), 1u);
}

TEST_F(CallTest, CorrectsTheClockFromTheAnswer) {
  sender_->answers = {Refusal(403, R"({"__type": "InvalidSignatureException", "message": "Signature expired"})",
                              {{"Date", "Fri, 02 Jan 2026 05:04:05 GMT"}})};
  ASSERT_TRUE(CallIt().ok());
  EXPECT_EQ(sender_->requests.at(1).Header("X-Amz-Date"), "20260102T050405Z");
}

TEST_F(CallTest, AWrongSignatureUnderARightClockIsFinal) {
  sender_->answers = {Refusal(403, R"({"__type": "InvalidSignatureException", "message": "no match"})",
                              {{"Date", "Fri, 02 Jan 2026 03:04:06 GMT"}})};
  ASSERT_FALSE(CallIt().ok());
  EXPECT_EQ(sender_->requests.size(), 1u);
}

TEST_F(CallTest, ABucketOfAnotherRegionIsAskedThere) {
  ASSERT_TRUE(CallIt().ok());  // which makes the configuration
  sender_->requests.clear();
  sender_->answers = {
      Refusal(301, "<Error><Code>PermanentRedirect</Code></Error>", {{"x-amz-bucket-region", "eu-west-1"}})};
  const ServiceRequest request{
      .service = *FindService("s3"), .operation = "GetObject", .method = "GET", .bucket = "bucket", .path = "/key"};
  ASSERT_TRUE(Send(*configuration_, request, {}).ok());
  EXPECT_EQ(sender_->requests.at(0).url, "https://bucket.s3.us-west-2.amazonaws.com/key");
  EXPECT_EQ(sender_->requests.at(1).url, "https://bucket.s3.eu-west-1.amazonaws.com/key");
  EXPECT_THAT(sender_->requests.at(1).Header("Authorization"), HasSubstr("/eu-west-1/s3/aws4_request"));
}

TEST_F(CallTest, StopsAtOnceWhenItIsCancelled) {
  std::stop_source stop;
  stop.request_stop();
  sender_->answers = {Refusal(503, "")};
  ASSERT_FALSE(CallIt({}, {.stop = stop.get_token()}).ok());
  EXPECT_EQ(sender_->requests.size(), 1u);
}

TEST_F(CallTest, SecretsAreInNoMessage) {
  variables_["AWS_SECRET_ACCESS_KEY"] = "";
  EXPECT_THAT(CallIt().error().message(), HasSubstr("AWS_SECRET_ACCESS_KEY is not"));
  variables_.erase("AWS_ACCESS_KEY_ID");
  const auto none = CallIt();
  EXPECT_EQ(none.error().service_code, "NoCredentials");
  EXPECT_THAT(none.error().message(), HasSubstr("headrace env"));
}

class AmbientKeysTest : public CallTest {
 protected:
  AmbientKeysTest() {
    variables_.erase("AWS_ACCESS_KEY_ID");
    variables_["AWS_SHARED_CREDENTIALS_FILE"] = InSourceDirectory("src/sagemaker/testdata/credentials");
  }
};

TEST_F(AmbientKeysTest, AProfilesKeysGoToAwsAndThisMachine) {
  EXPECT_TRUE(CallIt().ok());
  EXPECT_TRUE(CallIt({.endpoint_url = "http://127.0.0.1:4567"}).ok());
  EXPECT_TRUE(CallIt({.endpoint_url = "http://localhost:4567/"}).ok());
}

TEST_F(AmbientKeysTest, AProfilesKeysGoNowhereElseUnlessAskedFor) {
  for (const char* url : {"http://farm:4567", "http://amazonaws.com.evil.example", "http://127.0.0.1.evil.example",
                          "http://evilamazonaws.com"}) {
    const auto reply = CallIt({.endpoint_url = url});
    ASSERT_FALSE(reply.ok()) << url;
    EXPECT_THAT(reply.error().message(),
                testing::AllOf(HasSubstr("ambient_credentials_anywhere"), Not(HasSubstr("PS"))));
  }
  EXPECT_TRUE(sender_->requests.empty());
  EXPECT_TRUE(CallIt({.endpoint_url = "http://farm:4567", .ambient_credentials_anywhere = true}).ok());
  EXPECT_TRUE(CallIt({.profile = "farm"}).ok());  // the endpoint stands beside the keys
  EXPECT_TRUE(CallIt({.endpoint_url = "http://farm:4567", .credentials = Credentials{"A", "B", ""}}).ok());
}

TEST_F(AmbientKeysTest, NorDoTheyAskAForeignStsForARole) {
  variables_["AWS_CONFIG_FILE"] = InSourceDirectory("src/sagemaker/testdata/config");
  variables_["AWS_ENDPOINT_URL_STS"] = "http://farm:4567";
  const auto reply = CallIt({.profile = "role"});
  ASSERT_FALSE(reply.ok());
  EXPECT_THAT(reply.error().message(), HasSubstr("are not sent to http://farm:4567"));
  EXPECT_TRUE(sender_->requests.empty());
}

TEST_F(AmbientKeysTest, ARoleIsAskedForAndItsKeysSign) {
  variables_["AWS_CONFIG_FILE"] = InSourceDirectory("src/sagemaker/testdata/config");
  sender_->answers = {HttpReply{200,
                                {},
                                "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>RK</AccessKeyId>"
                                "<SecretAccessKey>RS</SecretAccessKey><SessionToken>RT</"
                                "SessionToken><Expiration>2026-01-02T04:04:05Z</Expiration>"
                                "</Credentials></AssumeRoleResult></AssumeRoleResponse>"}};
  ASSERT_TRUE(CallIt({.profile = "role"}).ok());
  EXPECT_EQ(sender_->requests.at(0).url, "https://sts.us-west-2.amazonaws.com/");
  EXPECT_THAT(sender_->requests.at(0).Header("Authorization"), HasSubstr("Credential=PK/"));
  EXPECT_THAT(sender_->requests.at(1).Header("Authorization"), HasSubstr("Credential=RK/"));
  EXPECT_EQ(sender_->requests.at(1).Header("X-Amz-Security-Token"), "RT");
}

}  // namespace
}  // namespace headrace::sagemaker
