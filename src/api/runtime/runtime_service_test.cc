// InvokeEndpoint against small servers that stand for model servers; no signatures, no processes.
#include "api/runtime/runtime_service.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "base/testing/temporary_directory.h"
#include "http/blocking.h"
#include "http/server.h"
#include "http/testing/raw_client.h"

namespace headrace::api {
namespace {

using http::Request;
using http::Response;
using http::Task;
using testing::HasSubstr;
using testing::StartsWith;
using Milliseconds = std::chrono::milliseconds;

class RuntimeTest : public testing::Test {
 protected:
  // The service behind a server, as account 1.
  void Start(Milliseconds model_time = Milliseconds(10'000), Milliseconds instance_time = Milliseconds(200)) {
    service_ = RuntimeService({.routes = routes_,
                               .metrics = metrics_,
                               .client = client_,
                               .max_body_bytes = 1000,
                               .model_time = model_time,
                               .instance_time = instance_time});
    front_ =
        ValueOrThrow(http::Server::Listen({.listeners = {{}}}, [this](Request& request) { return Front(request); }));
  }
  Task<Response> Front(Request& request) {
    aws::Call call;
    call.caller.account_id = "1";
    call.region = "us-west-2";
    co_return co_await service_(call, request);
  }
  std::unique_ptr<http::Server> ServeModel(http::Handler handler) const {
    http::ServerOptions options;
    options.listeners = {{.unix_socket = socket_}};
    return ValueOrThrow(http::Server::Listen(std::move(options), std::move(handler)));
  }
  void Publish() { routes_.Publish("1", "e", {{"v", 1, 1, {std::make_shared<jobs::Target>("i-1", socket_)}}}); }
  // The sum of a metric of endpoint e's variant v, and of how many samples.
  std::pair<double, double> Total(const char* metric) {
    EXPECT_TRUE(metrics_.Flush(*database_, 1000));
    store::Metrics stored(*database_);
    const auto series =
        stored.Find({"1", "AWS/SageMaker", metric, {{"EndpointName", "e"}, {"VariantName", "v"}}}).value();
    std::pair<double, double> total;
    if (!series) return total;
    EXPECT_TRUE(stored.Read(series->id, 0, 2000, [&](const store::MetricSample& sample) {
      total.first += sample.sum;
      total.second += sample.count;
    }));
    return total;
  }
  std::string Ask(const std::string& body, const std::string& headers = "", const std::string& endpoint = "e") {
    http::RawClient client(front_->ports()[0]);
    client.Say(fmt::format("POST /endpoints/{}/invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n{}\r\n{}",
                           endpoint, body.size(), headers, body));
    return client.HearResponse();
  }

  const TemporaryDirectory directory_;
  const std::string socket_ = directory_ / "model.sock";
  const std::unique_ptr<store::Database> database_ = store::Database::Open(directory_ / "meta.db").value();
  jobs::EndpointRoutes routes_;
  jobs::InvocationMetrics metrics_;
  http::Client client_;
  aws::RestService service_;
  std::unique_ptr<http::Server> front_;
};

TEST_F(RuntimeTest, PassesBodyAndHeadersBothWays) {
  const auto model = ServeModel([](Request& request) -> Task<Response> {
    auto body = co_await http::ReadAll(*request.body, 1000);
    Response response = http::TextResponse(
        200, "text/plain",
        fmt::format("{} {} {} {} {}", request.path, request.headers.Get("Content-Type"), request.headers.Get("Accept"),
                    request.headers.Get("X-Amzn-SageMaker-Custom-Attributes"), *body));
    response.headers.Set("X-Amzn-SageMaker-Custom-Attributes", "back");
    response.headers.Set("X-Other", "stays");
    co_return response;
  });
  Start();
  Publish();
  const std::string answer = Ask(
      "body", "Content-Type: application/json\r\nAccept: text/plain\r\nX-Amzn-SageMaker-Custom-Attributes: there\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("/invocations application/json text/plain there body"));
  EXPECT_THAT(answer, HasSubstr("X-Amzn-SageMaker-Custom-Attributes: back"));
  EXPECT_THAT(answer, HasSubstr("x-Amzn-Invoked-Production-Variant: v"));
  EXPECT_THAT(answer, testing::Not(HasSubstr("X-Other")));
}

TEST_F(RuntimeTest, ModelsErrorsBecomeModelError) {
  const auto model = ServeModel(
      [](Request&) -> Task<Response> { co_return http::TextResponse(400, "application/json", R"({"error": "bad"})"); });
  Start();
  Publish();
  const std::string answer = Ask("body");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 424"));
  EXPECT_THAT(answer, HasSubstr("x-amzn-ErrorType: ModelError"));
  const auto json = nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n") + 4));
  EXPECT_EQ(json["OriginalStatusCode"], 400);
  EXPECT_EQ(json["OriginalMessage"], R"({"error": "bad"})");
  EXPECT_THAT(json["Message"],
              StartsWith("Received client error (400) from primary with message \"{\"error\": \"bad\"}\"."));
  EXPECT_THAT(json["LogStreamArn"], HasSubstr("log-group:/aws/sagemaker/Endpoints/e:log-stream:v/i-1"));
}

TEST_F(RuntimeTest, RefusesWhatIsNotThereOrTooLong) {
  Start();
  EXPECT_THAT(Ask("x"), HasSubstr("Endpoint e of account 1 not found."));
  Publish();
  EXPECT_THAT(Ask("x", "X-Amzn-SageMaker-Target-Variant: w\r\n"), HasSubstr("Could not find variant"));
  EXPECT_THAT(Ask("x", "X-Amzn-SageMaker-Target-Model: m\r\n"), HasSubstr("TargetModel"));
  EXPECT_THAT(Ask("x", "X-Amzn-SageMaker-Prefix-Aware-Id: p\r\n"), HasSubstr("PrefixAwareId"));
  // Without a code of its own, as the service sends it: botocore shows 413.
  EXPECT_THAT(Ask(std::string(1001, 'x')),
              AllOf(StartsWith("HTTP/1.1 413"), HasSubstr("HTTP content length exceeded 1000 bytes."),
                    testing::Not(HasSubstr("ErrorType"))));
  EXPECT_THAT(Ask("x", "X-Amzn-SageMaker-Custom-Attributes: " + std::string(1025, 'a') + "\r\n"),
              HasSubstr("1025 bytes"));
}

TEST_F(RuntimeTest, ChecksHeadersAsTheServicesModelHasThem) {
  Start();
  Publish();
  EXPECT_THAT(Ask("x", "X-Amzn-SageMaker-Inference-Id: " + std::string(65, 'a') + "\r\n"),
              AllOf(HasSubstr("x-amzn-ErrorType: ValidationError"),
                    HasSubstr("at 'inferenceId' failed to satisfy constraint: Member must have length less than or "
                              "equal to 64")));
  EXPECT_THAT(Ask("x", "X-Amzn-SageMaker-Target-Variant: a_b\r\nAccept: " + std::string(1025, 'a') + "\r\n"),
              AllOf(HasSubstr("2 validation errors detected"), HasSubstr("'accept'"), HasSubstr("'targetVariant'")));
}

TEST_F(RuntimeTest, ChecksTheNameOfTheEndpoint) {
  Start();
  EXPECT_THAT(Ask("x", "", ""), AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("x-amzn-ErrorType: ValidationError"),
                                      HasSubstr("Value '' at 'endpointName' failed to satisfy constraint")));
  EXPECT_THAT(Ask("x", "", "a%20b"), HasSubstr("Value 'a b' at 'endpointName'"));
  EXPECT_THAT(Ask("x", "", std::string(64, 'e')), HasSubstr("length less than or equal to 63"));
}

TEST_F(RuntimeTest, RefusesTheOtherOperationsByName) {
  Start();
  Publish();
  const auto post = [this](const std::string& path) {
    http::RawClient client(front_->ports()[0]);
    client.Say("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    return client.HearResponse();
  };
  EXPECT_THAT(post("/endpoints/e/async-invocations"),
              AllOf(StartsWith("HTTP/1.1 404"), HasSubstr("x-amzn-ErrorType: UnknownOperationException"),
                    HasSubstr("InvokeEndpointAsync: not implemented by Headrace")));
  EXPECT_THAT(post("/endpoints/e/invocations-response-stream"),
              HasSubstr("InvokeEndpointWithResponseStream: not implemented by Headrace"));
  EXPECT_THAT(post("/endpoints/e/other"), HasSubstr("POST /endpoints/e/other: not implemented by Headrace"));
}

TEST_F(RuntimeTest, ASilentModelIsAModelErrorWithoutAStatus) {
  const auto model = ServeModel([](Request&) -> Task<Response> {
    co_await http::Sleep(Milliseconds(2000));
    co_return Response{};
  });
  Start(Milliseconds(100));
  Publish();
  const std::string answer = Ask("body");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 424"));
  EXPECT_THAT(answer, HasSubstr("Your invocation timed out"));
  EXPECT_THAT(answer, HasSubstr("\"OriginalStatusCode\":0"));
}

TEST_F(RuntimeTest, WithoutAnInstanceRequestsWaitForOneButNotForEver) {
  Start(Milliseconds(5000), Milliseconds(300));
  routes_.Publish("1", "e", {{"v", 1, 1, {}}});
  EXPECT_THAT(Ask("body"), StartsWith("HTTP/1.1 503"));
  const auto model = ServeModel([](Request&) -> Task<Response> { co_return http::TextResponse(200, "a/b", "late"); });
  std::thread later([&] {
    std::this_thread::sleep_for(Milliseconds(50));
    Publish();
  });
  EXPECT_THAT(Ask("body"), HasSubstr("late"));
  later.join();
  EXPECT_EQ(Total("Invocations").first, 2);
  EXPECT_EQ(Total("Invocation5XXErrors"), std::pair(1.0, 2.0));
  EXPECT_EQ(Total("InvocationModelErrors"), std::pair(1.0, 2.0));
  EXPECT_EQ(Total("Invocation4XXErrors"), std::pair(0.0, 2.0));
  EXPECT_EQ(Total("ModelLatency").second, 1);  // of the one that a model was asked
  EXPECT_GE(Total("OverheadLatency").first, 300e3);
}

TEST_F(RuntimeTest, RefusedRequestsCountNowhere) {
  Start();
  Ask("x");
  Publish();
  Ask("x", "X-Amzn-SageMaker-Target-Variant: w\r\n");
  Ask("x", "X-Amzn-SageMaker-Target-Model: m\r\n");
  EXPECT_EQ(Total("Invocations").second, 0);
}

TEST_F(RuntimeTest, ARequestThatItsInstanceLosesIsAskedOfAnother) {
  const auto model = ServeModel([](Request& request) -> Task<Response> {
    auto body = co_await http::ReadAll(*request.body, 1000);
    co_return http::TextResponse(200, "a/b", "second " + *body);
  });
  Start();
  const auto broken = std::make_shared<jobs::Target>("i-1", directory_ / "gone"),
             good = std::make_shared<jobs::Target>("i-2", socket_);
  good->in_flight = 5;  // so that the broken one is asked first
  routes_.Publish("1", "e", {{"v", 1, 2, {broken, good}}});
  EXPECT_THAT(Ask("body"), HasSubstr("second body"));
  EXPECT_EQ(broken->in_flight, 0);
  EXPECT_EQ(good->in_flight, 5);
}

}  // namespace
}  // namespace headrace::api
