#include "aws/gateway.h"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "aws/body_memory.h"
#include "aws/cbor_codec.h"
#include "aws/digest.h"
#include "aws/payload.h"
#include "aws/sign.h"
#include "aws/signature_v2.h"
#include "aws/testing/await.h"

namespace headrace::aws {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr UnixMillis kNow = 1767323045000;  // 2026-01-02T03:04:05Z
const Credentials kAlice{"AKIAALICE", "alice's secret", ""};

class TestKeys : public KeyLookup {
 public:
  TestKeys() {
    keys_["AKIAALICE"] = {"alice's secret", "", 0, {"111111111111", "alice", "AKIAALICE", "arn:alice"}};
    keys_["ASIATEMP"] = {"temp secret", "token/+=", kNow + 1000, {"111111111111", "alice", "ASIATEMP", "arn:session"}};
  }
  std::optional<SigningKey> Find(std::string_view id) const override {
    const auto found = keys_.find(id);
    if (found == keys_.end()) return std::nullopt;
    return found->second;
  }

 private:
  std::map<std::string, SigningKey, std::less<>> keys_;
};

Service Monitoring() {
  Service service;
  service.signing_name = "monitoring";
  service.target_prefix = "GraniteServiceVersion20100801";
  service.json_version = "1.0";
  service.query_version = "2010-08-01";
  service.xml_namespace = "http://monitoring.amazonaws.com/doc/2010-08-01/";
  service.timestamps = {"At"};
  service.operations["Echo"] = [](const Call& call, const Json& input) -> Reply<Json> {
    return Json{
        {"Input", input}, {"Account", call.caller.account_id}, {"Region", call.region}, {"At", call.now / 1000}};
  };
  service.operations["Refuse"] = [](const Call&, const Json&) -> Reply<Json> {
    return tl::unexpected(
        ServiceError{"InvalidParameterValueException", "no <good>", 400, {}, "InvalidParameterValue"});
  };
  service.operations["WrongType"] = [](const Call&, const Json& input) -> Reply<Json> {
    return Json{{"Number", input.at("Number").get<int>()}};
  };
  service.operations["Throw"] = [](const Call&, const Json&) -> Reply<Json> { throw std::runtime_error("a secret"); };
  return service;
}

class BrokenBody : public http::BodyReader {
 public:
  explicit BrokenBody(ErrorCode code) : code_(code) {}
  http::Task<Result<size_t>> Read(std::span<char>) override { co_return Fail(code_, "broken"); }

 private:
  ErrorCode code_;
};

std::string Gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

class GatewayTest : public testing::Test {
 protected:
  GatewayTest() {
    gateway_.Add(Monitoring());
    gateway_.SetS3([this](const Call& call, http::Request& request) -> http::Task<http::Response> {
      s3_account_ = call.caller.account_id;
      s3_headers_ = request.headers;
      PayloadReader& payload = PayloadReader::Of(request);
      const auto body = co_await http::ReadAll(payload, 1 << 20);
      if (!body) co_return S3ErrorResponse(*payload.failure(), request);
      co_return http::TextResponse(200, "text/plain", *body);
    });
    gateway_.SetRuntime([](const Call&, http::Request& request) -> http::Task<http::Response> {
      const auto body = co_await http::ReadAll(*request.body, 1 << 20);
      co_return http::TextResponse(200, "application/json", request.path + " " + *body);
    });
  }

  static http::Request Make(std::string method, std::string target,
                            std::vector<std::pair<std::string, std::string>> headers = {}) {
    http::Request request;
    request.id = "request-1";
    request.method = std::move(method);
    request.target = target;
    request.path = target.substr(0, target.find('?'));
    if (const size_t mark = target.find('?'); mark != std::string::npos) request.query = target.substr(mark + 1);
    request.headers.Add("Host", "127.0.0.1:4567");
    for (auto& [name, value] : headers) request.headers.Add(name, value);
    return request;
  }

  http::Response Send(http::Request& request, const std::string& body = "") {
    TextBody raw(body, 50);
    request.body = &raw;
    request.content_length = body.size();
    http::Response response = Await(gateway_.Handle(request));
    EXPECT_EQ(request.body, &raw);  // handed back
    return response;
  }

  http::Response SendSigned(http::Request request, const std::string& service, const std::string& body = "",
                            const Credentials& who = kAlice, UnixMillis when = kNow) {
    Sign(request, who, {"us-west-2", service}, when, PayloadHash(body));
    return Send(request, body);
  }

  static std::string Text(const http::Response& response) {
    const auto* text = std::get_if<std::string>(&response.body);
    return text != nullptr ? *text : std::string();
  }

  static http::Request JsonCall(const std::string& operation) {
    return Make("POST", "/",
                {{"X-Amz-Target", "GraniteServiceVersion20100801." + operation},
                 {"Content-Type", "application/x-amz-json-1.0"},
                 {"x-amzn-query-mode", "true"}});
  }
  static http::Request Form() {
    return Make("POST", "/", {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}});
  }

  TestKeys keys_;
  ManualClock clock_{kNow};
  ThreadPool pool_{1, 16};
  Gateway gateway_{{keys_, clock_, pool_}};
  std::string s3_account_;
  http::Headers s3_headers_;
};

TEST_F(GatewayTest, AnswersJson) {
  const auto response = SendSigned(JsonCall("Echo"), "monitoring", R"({"a":[1]})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.Get("content-type"), "application/x-amz-json-1.0");
  EXPECT_EQ(response.headers.Get("x-amzn-RequestId"), "request-1");
  EXPECT_EQ(Json::parse(Text(response)),
            Json({{"Input", {{"a", {1}}}}, {"Account", "111111111111"}, {"Region", "us-west-2"}, {"At", kNow / 1000}}));
}

TEST_F(GatewayTest, AnswersQuery) {
  const auto response = SendSigned(Form(), "monitoring", "Action=Echo&Version=2010-08-01&L.member.1=x");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.Get("content-type"), "text/xml");
  EXPECT_THAT(Text(response), HasSubstr("<EchoResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">"));
  EXPECT_THAT(Text(response), HasSubstr("<At>2026-01-02T03:04:05Z</At><Input><L><member>x</member></L></Input>"));
}

TEST_F(GatewayTest, AnswersCbor) {
  const auto response = SendSigned(Make("POST", "/service/GraniteServiceVersion20100801/operation/Echo",
                                        {{"smithy-protocol", "rpc-v2-cbor"}, {"Content-Type", "application/cbor"}}),
                                   "monitoring", EncodeCbor({{"a", 0.5}}, {}));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.Get("smithy-protocol"), "rpc-v2-cbor");
  const auto reply = DecodeCbor(Text(response));
  ASSERT_TRUE(reply);
  EXPECT_EQ((*reply)["Input"]["a"], 0.5);
  EXPECT_THAT(Text(response), HasSubstr(std::string("\x62"
                                                    "At\xc1")));
}

TEST_F(GatewayTest, ErrorsTakeTheProtocolsForm) {
  const auto json = SendSigned(JsonCall("Refuse"), "monitoring");
  EXPECT_EQ(json.status, 400);
  EXPECT_EQ(Text(json), R"({"__type":"InvalidParameterValueException","message":"no <good>"})");
  EXPECT_EQ(json.headers.Get("x-amzn-query-error"), "InvalidParameterValue;Sender");
  const auto query = SendSigned(Form(), "monitoring", "Action=Refuse");
  EXPECT_THAT(Text(query), HasSubstr("<Code>InvalidParameterValue</Code><Message>no &lt;good&gt;</Message>"));
  const auto cbor = SendSigned(
      Make("POST", "/service/GraniteServiceVersion20100801/operation/Refuse", {{"smithy-protocol", "rpc-v2-cbor"}}),
      "monitoring");
  EXPECT_EQ((*DecodeCbor(Text(cbor)))["__type"], "InvalidParameterValueException");
}

TEST_F(GatewayTest, UnknownOperationsAndServices) {
  EXPECT_THAT(Text(SendSigned(JsonCall("Nothing"), "monitoring")), HasSubstr("UnknownOperationException"));
  EXPECT_THAT(Text(SendSigned(JsonCall("PutDashboard"), "monitoring")), HasSubstr("not implemented by Headrace"));
  EXPECT_THAT(Text(SendSigned(Form(), "monitoring", "Action=Nothing&Version=1")),
              HasSubstr("<Code>InvalidAction</Code>"));
  EXPECT_THAT(Text(SendSigned(Form(), "monitoring", "")), HasSubstr("<Code>InvalidAction</Code>"));
  EXPECT_THAT(Text(SendSigned(Form(), "ec2", "Action=RunInstances")), HasSubstr("<Code>InvalidAction</Code>"));
  EXPECT_THAT(Text(SendSigned(Make("POST", "/", {{"X-Amz-Target", "Ecr.Get"}}), "ecr")),
              HasSubstr("UnknownOperationException"));
}

// Each in the form that the service's clients read.
TEST_F(GatewayTest, WhatIsNotHereIsToldInTheCallersProtocol) {
  const auto json = SendSigned(Make("POST", "/", {{"X-Amz-Target", "DynamoDB_20120810.ListTables"}}), "dynamodb");
  EXPECT_EQ(json.status, 400);
  EXPECT_THAT(Text(json), HasSubstr(R"("__type":"UnknownOperationException")"));
  EXPECT_THAT(Text(json), HasSubstr("This is Headrace, it has no DynamoDB_20120810 (ListTables)"));
  const auto query = SendSigned(Form(), "sns", "Action=ListTopics&Version=2010-03-31");
  EXPECT_EQ(query.status, 400);
  EXPECT_THAT(Text(query), HasSubstr("<ErrorResponse><Error><Type>Sender</Type><Code>InvalidAction</Code>"));
  EXPECT_THAT(Text(query), HasSubstr("it has no sns (ListTopics)"));
  EXPECT_THAT(Text(SendSigned(Form(), "ec2", "Action=RunInstances")), HasSubstr("<Response><Errors><Error><Code>"));
  const auto rest = SendSigned(Make("GET", "/2015-03-31/functions/"), "lambda");
  EXPECT_EQ(rest.status, 404);
  EXPECT_EQ(rest.headers.Get("x-amzn-ErrorType"), "UnknownOperationException");
  EXPECT_THAT(Text(rest), HasSubstr("it has no lambda (GET /2015-03-31/functions/)"));
  const auto feature_store = SendSigned(Make("GET", "/FeatureGroup/f"), "sagemaker");
  EXPECT_EQ(feature_store.status, 404);
  EXPECT_THAT(Text(feature_store), HasSubstr("it has no sagemaker (GET /FeatureGroup/f)"));
  const auto xml = SendSigned(Make("GET", "/2013-04-01/hostedzone"), "route53");
  EXPECT_EQ(xml.status, 404);
  EXPECT_THAT(Text(xml), HasSubstr("<ErrorResponse><Error>"));
  const auto control = SendSigned(Make("GET", "/v20180820/jobs"), "s3");
  EXPECT_EQ(control.status, 501);
  EXPECT_THAT(Text(control), HasSubstr("it has no S3 Control"));
  const auto cbor =
      SendSigned(Make("POST", "/service/Other/operation/Do", {{"smithy-protocol", "rpc-v2-cbor"}}), "other");
  EXPECT_THAT((*DecodeCbor(Text(cbor)))["message"].get<std::string>(), HasSubstr("it has no Other (Do)"));
  auto unsigned_path = Make("GET", "/2015-03-31/functions/", {{"Authorization", "AWS4-HMAC-SHA256 x"}});
  EXPECT_GE(Send(unsigned_path).status, 400);
}

// A body that ends early is the client's fault, in every protocol.
TEST_F(GatewayTest, HalfSentBodiesAre400) {
  for (const auto& [code, name] :
       {std::pair{ErrorCode::kDataLoss, "IncompleteBody"}, std::pair{ErrorCode::kUnavailable, "RequestTimeout"}}) {
    for (const bool s3 : {false, true}) {
      auto request = s3 ? Make("PUT", "/b/k") : JsonCall("Echo");
      Sign(request, kAlice, {"us-west-2", s3 ? "s3" : "monitoring"}, kNow, PayloadHash("whole"));
      BrokenBody broken(code);
      request.body = &broken;
      request.content_length = 5;
      const auto response = Await(gateway_.Handle(request));
      EXPECT_EQ(response.status, 400);
      EXPECT_THAT(Text(response), HasSubstr(name));
    }
  }
}

TEST_F(GatewayTest, GzipBombsAreRefusedAndTakeNoMemoryAfterwards) {
  const std::string body = Gzip(std::string(size_t{64} << 20, ' '));
  auto request = JsonCall("Echo");
  request.headers.Add("Content-Encoding", "gzip");
  const auto bomb = SendSigned(request, "monitoring", body);
  EXPECT_EQ(bomb.status, 400);
  EXPECT_THAT(Text(bomb), HasSubstr("more than 16777216 bytes"));
  const auto good = SendSigned(request, "monitoring", Gzip(R"({"a":1})"));
  EXPECT_EQ(good.status, 200);
}

TEST_F(GatewayTest, LargeBodiesAreDecodedOnThePool) {
  const std::string text(size_t{1} << 20, 'x');
  const auto response = SendSigned(JsonCall("Echo"), "monitoring", Json{{"a", text}}.dump());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(Json::parse(Text(response))["Input"]["a"], text);
}

TEST(BodyMemoryTest, IsSharedAndGivenBack) {
  BodyMemory memory(1'000'000);
  {
    BodyMemory::Share one(memory), other(memory);
    EXPECT_TRUE(one.Grow(900'000));
    EXPECT_FALSE(other.Grow(200'000));
    EXPECT_TRUE(other.Grow(60'000));  // what is small goes on
    EXPECT_TRUE(other.Grow(1));
  }
  EXPECT_EQ(memory.taken(), 0U);
}

TEST_F(GatewayTest, ProblemsInsideAreNotTold) {
  EXPECT_THAT(Text(SendSigned(JsonCall("WrongType"), "monitoring", R"({"Number":"x"})")),
              HasSubstr("SerializationException"));
  const auto thrown = SendSigned(JsonCall("Throw"), "monitoring");
  EXPECT_EQ(thrown.status, 500);
  EXPECT_THAT(Text(thrown), Not(HasSubstr("secret")));
}

TEST_F(GatewayTest, RefusesAnonymousCallers) {
  auto json = JsonCall("Echo");
  EXPECT_THAT(Text(Send(json)), HasSubstr("MissingAuthenticationToken"));
  auto query = Form();
  EXPECT_THAT(Text(Send(query, "Action=Echo")), HasSubstr("<Code>MissingAuthenticationToken</Code>"));
  auto s3 = Make("GET", "/bucket/key");
  const auto denied = Send(s3);
  EXPECT_EQ(denied.status, 403);
  EXPECT_THAT(Text(denied), HasSubstr("<Code>AccessDenied</Code>"));
  auto runtime = Make("POST", "/endpoints/e/invocations");
  EXPECT_EQ(Send(runtime).headers.Get("x-amzn-ErrorType"), "MissingAuthenticationToken");
}

TEST_F(GatewayTest, RefusesWhatIsNotSignedRight) {
  const Credentials wrong{"AKIAALICE", "guess", ""}, unknown{"AKIANOBODY", "guess", ""};
  EXPECT_THAT(Text(SendSigned(JsonCall("Echo"), "monitoring", "", wrong)), HasSubstr("InvalidSignatureException"));
  EXPECT_THAT(Text(SendSigned(JsonCall("Echo"), "monitoring", "", unknown)), HasSubstr("UnrecognizedClientException"));
  EXPECT_THAT(Text(SendSigned(JsonCall("Echo"), "sts", "")),
              HasSubstr("Credential should be scoped to correct service"));
  EXPECT_THAT(Text(SendSigned(Form(), "monitoring", "Action=Echo", wrong)), HasSubstr("SignatureDoesNotMatch"));
  EXPECT_THAT(Text(SendSigned(Form(), "monitoring", "Action=Echo", unknown)), HasSubstr("InvalidClientTokenId"));
  EXPECT_THAT(Text(SendSigned(Make("GET", "/b"), "s3", "", wrong)), HasSubstr("<Code>SignatureDoesNotMatch</Code>"));
  EXPECT_THAT(Text(SendSigned(Make("GET", "/b"), "s3", "", unknown)), HasSubstr("<Code>InvalidAccessKeyId</Code>"));

  auto tampered = JsonCall("Echo");
  Sign(tampered, kAlice, {"us-west-2", "monitoring"}, kNow, PayloadHash("{}"));
  EXPECT_THAT(Text(Send(tampered, "{\"a\":1}")), HasSubstr("InvalidSignatureException"));
  auto added = Make("PUT", "/b/k");
  Sign(added, kAlice, {"us-west-2", "s3"}, kNow, PayloadHash(""));
  added.headers.Add("x-amz-acl", "public-read");
  EXPECT_THAT(Text(Send(added)), HasSubstr("<HeadersNotSigned>x-amz-acl</HeadersNotSigned>"));
}

TEST_F(GatewayTest, ClocksMayDifferByFifteenMinutes) {
  constexpr int64_t kLimit = 15 * 60 * 1000;
  for (const int64_t offset : {-kLimit, kLimit})
    EXPECT_EQ(SendSigned(JsonCall("Echo"), "monitoring", "", kAlice, kNow + offset).status, 200) << offset;
  for (const int64_t offset : {-kLimit - 1000, kLimit + 1000}) {
    EXPECT_THAT(Text(SendSigned(JsonCall("Echo"), "monitoring", "", kAlice, kNow + offset)),
                HasSubstr("InvalidSignatureException"));
    EXPECT_THAT(Text(SendSigned(Make("GET", "/b"), "s3", "", kAlice, kNow + offset)),
                HasSubstr("<Code>RequestTimeTooSkewed</Code>"));
  }
}

TEST_F(GatewayTest, SessionTokensMustMatchAndLive) {
  const Credentials session{"ASIATEMP", "temp secret", "token/+="};
  EXPECT_EQ(SendSigned(JsonCall("Echo"), "monitoring", "", session).status, 200);
  const Credentials without{"ASIATEMP", "temp secret", ""}, other{"ASIATEMP", "temp secret", "token/+-"};
  EXPECT_THAT(Text(SendSigned(JsonCall("Echo"), "monitoring", "", without)), HasSubstr("UnrecognizedClientException"));
  EXPECT_THAT(Text(SendSigned(Make("GET", "/b"), "s3", "", other)), HasSubstr("<Code>InvalidToken</Code>"));
  clock_.Advance(1000);
  EXPECT_THAT(Text(SendSigned(JsonCall("Echo"), "monitoring", "", session)), HasSubstr("ExpiredTokenException"));
  EXPECT_THAT(Text(SendSigned(Make("GET", "/b"), "s3", "", session)), HasSubstr("<Code>ExpiredToken</Code>"));
}

TEST_F(GatewayTest, S3BodiesAreVerifiedAndUnwrapped) {
  const auto plain = SendSigned(Make("PUT", "/b/k%20ey", {{"Content-Encoding", "gzip,aws-chunked"}}), "s3", "object");
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(Text(plain), "object");
  EXPECT_EQ(plain.headers.Get("x-amz-request-id"), "request-1");
  EXPECT_EQ(s3_account_, "111111111111");
  EXPECT_EQ(s3_headers_.Get("content-encoding"), "gzip");

  auto wrong = Make("PUT", "/b/k");
  Sign(wrong, kAlice, {"us-west-2", "s3"}, kNow, PayloadHash("other"));
  EXPECT_THAT(Text(Send(wrong, "object")), HasSubstr("<Code>XAmzContentSHA256Mismatch</Code>"));

  auto chunked = Make("PUT", "/b/k",
                      {{"Content-Encoding", "aws-chunked"},
                       {"x-amz-decoded-content-length", "9"},
                       {"x-amz-trailer", "x-amz-checksum-crc32"}});
  Sign(chunked, kAlice, {"us-west-2", "s3"}, kNow, "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
  const auto unwrapped = Send(chunked, "9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n");
  EXPECT_EQ(Text(unwrapped), "123456789");
  EXPECT_EQ(chunked.content_length, 9U);
  EXPECT_FALSE(s3_headers_.Has("content-encoding"));
}

TEST_F(GatewayTest, PresignedUrls) {
  const auto url = [](std::string_view query, int64_t seconds) {
    return "/b/k?" + Presign("GET", "127.0.0.1:4567", "/b/k", query, kAlice, {"us-west-2", "s3"}, kNow, seconds);
  };
  auto good = Make("GET", url("x-amz-meta-a=b&response-content-type=text%2Fplain", 60));
  EXPECT_EQ(Send(good).status, 200);
  EXPECT_EQ(s3_headers_.Get("x-amz-meta-a"), "b");
  EXPECT_FALSE(s3_headers_.Has("x-amz-signature"));
  auto other_method = Make("DELETE", url("", 60));
  EXPECT_THAT(Text(Send(other_method)), HasSubstr("<Code>SignatureDoesNotMatch</Code>"));
  auto too_long = Make("GET", url("", 604801));
  EXPECT_THAT(Text(Send(too_long)), HasSubstr("<Code>AuthorizationQueryParametersError</Code>"));
  auto late = Make("GET", url("", 60));
  clock_.Advance(61'000);
  const auto expired = Send(late);
  EXPECT_EQ(expired.status, 403);
  EXPECT_THAT(Text(expired), HasSubstr("<Code>AccessDenied</Code><Message>Request has expired</Message>"));
}

TEST_F(GatewayTest, PresignedUrlsOfVersion2) {
  const auto request = [](std::string expires, const std::string& method = "GET") {
    auto unsigned_request = Make("GET", "/b/k%20ey?uploads&x=1&AWSAccessKeyId=AKIAALICE&Expires=" + expires);
    const std::string signature =
        Base64(HmacSha1("alice's secret", StringToSignV2(unsigned_request, unsigned_request.path)));
    return Make(method, unsigned_request.target + "&Signature=" + http::PercentEncode(signature, false));
  };
  auto good = request("1767323100");
  EXPECT_EQ(StringToSignV2(good, good.path), "GET\n\n\n1767323100\n/b/k%20ey?uploads");
  EXPECT_EQ(Send(good).status, 200);
  auto put = request("1767323100", "PUT");
  EXPECT_THAT(Text(Send(put)), HasSubstr("<Code>SignatureDoesNotMatch</Code>"));
  auto late = request("1767323044");
  EXPECT_THAT(Text(Send(late)), HasSubstr("Request has expired"));
}

TEST_F(GatewayTest, RuntimeBodiesAreVerifiedBeforeTheHandler) {
  const auto response = SendSigned(Make("POST", "/endpoints/e%20f/invocations"), "sagemaker", "[1,2]");
  EXPECT_EQ(Text(response), "/endpoints/e%20f/invocations [1,2]");
  auto tampered = Make("POST", "/endpoints/e/invocations");
  Sign(tampered, kAlice, {"us-west-2", "sagemaker"}, kNow, PayloadHash("[1]"));
  const auto refused = Send(tampered, "[2]");
  EXPECT_EQ(refused.headers.Get("x-amzn-ErrorType"), "InvalidSignatureException");
}

TEST_F(GatewayTest, MalformedAuthorization) {
  for (const char* value :
       {"AWS4-HMAC-SHA256 x", "AWS4-HMAC-SHA256 Credential=a/b/c/s3/aws4_request",
        "AWS4-HMAC-SHA256 Credential=a/20260102/r/s3/aws4_request, SignedHeaders=host, Signature=",
        "AWS4-HMAC-SHA256 Credential=/20260102/r/s3/aws4_request, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=a/20260102/r/s3/aws4_request, SignedHeaders=date, Signature=0"}) {
    auto request = Make("GET", "/b", {{"Authorization", value}, {"X-Amz-Date", "20260102T030405Z"}});
    EXPECT_EQ(Send(request).status, 400) << value;
  }
  auto basic = Make("GET", "/b", {{"Authorization", "Basic YTpi"}});
  EXPECT_THAT(Text(Send(basic)), HasSubstr("InvalidRequest"));
}

TEST_F(GatewayTest, BodiesAreBounded) {
  auto request = JsonCall("Echo");
  Sign(request, kAlice, {"us-west-2", "monitoring"}, kNow, PayloadHash(""));
  TextBody raw("");
  request.body = &raw;
  request.content_length = uint64_t{1} << 40;
  EXPECT_EQ(Await(gateway_.Handle(request)).status, 413);
}

}  // namespace
}  // namespace headrace::aws
