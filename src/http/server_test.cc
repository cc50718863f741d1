#include "http/server.h"

#include <future>
#include <mutex>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/processors.h"
#include "base/testing/temporary_directory.h"
#include "http/blocking.h"
#include "http/testing/raw_client.h"

namespace headrace::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

using Milliseconds = std::chrono::milliseconds;
constexpr Milliseconds kGrace{5000};

// Makes `size` bytes without holding them.
class Counting : public BodyReader {
 public:
  explicit Counting(uint64_t size) : left_(size) {}
  Task<Result<size_t>> Read(std::span<char> into) override {
    const size_t n = std::min<uint64_t>(into.size(), left_);
    std::fill_n(into.begin(), n, 'x');
    left_ -= n;
    co_return n;
  }

 private:
  uint64_t left_;
};

Task<Response> Echo(Request& request) {
  auto body = co_await ReadAll(*request.body, 1 << 20);
  if (!body) co_return TextResponse(400, "text/plain", body.error().message());
  co_return TextResponse(200, "text/plain", request.method + " " + request.target + " " + *body);
}

Task<Response> Count(Request& request) {
  std::vector<char> piece(65536);
  uint64_t all = 0;
  while (true) {
    auto size = co_await request.body->Read(piece);
    if (!size) co_return TextResponse(400, "text/plain", size.error().message());
    if (*size == 0) co_return TextResponse(200, "text/plain", std::to_string(all));
    all += *size;
  }
}

std::unique_ptr<Server> Serve(Handler handler, Limits limits = {}) {
  auto server = Server::Listen({.listeners = {{}}, .limits = limits}, std::move(handler));
  EXPECT_TRUE(server.has_value()) << server.error().message();
  return std::move(*server);
}

TEST(ServerTest, AnswersAndKeepsTheConnection) {
  auto server = Serve(Echo);
  RawClient client(server->ports()[0]);
  for (int i = 0; i < 3; ++i) {
    client.Say("POST /a%20b?c=d HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    const std::string response = client.HearResponse();
    EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(response, HasSubstr("Date: "));
    EXPECT_THAT(response, EndsWith("POST /a%20b?c=d hello"));
  }
}

TEST(ServerTest, AnswersPipelinedRequestsInOrder) {
  auto server = Serve(Echo);
  RawClient client(server->ports()[0]);
  client.Say(
      "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none"
      "POST /2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n"
      "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.HearResponse(), EndsWith("POST /1 one"));
  EXPECT_THAT(client.HearResponse(), EndsWith("POST /2 two"));
  EXPECT_THAT(client.HearResponse(), EndsWith("GET /3 "));
}

TEST(ServerTest, SaysContinueWhenTheHandlerReads) {
  auto server = Serve(Echo);
  RawClient client(server->ports()[0]);
  client.Say("PUT /o HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.HearUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Say("hello");
  EXPECT_THAT(client.HearResponse(), EndsWith("PUT /o hello"));
}

// The AWS CLI sends empty files so, and waits a minute for its next answer when the 100 is missing.
TEST(ServerTest, SaysContinueBeforeAnEmptyBody) {
  auto server = Serve(Echo);
  RawClient client(server->ports()[0]);
  client.Say("PUT /o HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.HearUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_THAT(client.HearResponse(), EndsWith("PUT /o "));
}

TEST(ServerTest, SaysNoContinueWhenTheHandlerRefuses) {
  auto server = Serve([](Request&) -> Task<Response> { co_return TextResponse(403, "text/plain", "no"); });
  RawClient client(server->ports()[0]);
  client.Say("PUT /o HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  const std::string response = client.HearAll();
  EXPECT_THAT(response, StartsWith("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_THAT(response, HasSubstr("Connection: close\r\n"));
}

TEST(ServerTest, StreamsLargeBodiesIn) {
  constexpr size_t kSize = 64 << 20;
  auto server = Serve(Count);
  RawClient client(server->ports()[0]);
  client.Say(fmt::format("PUT /o HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", kSize));
  const std::string piece(1 << 20, 'x');
  for (size_t sent = 0; sent < kSize; sent += piece.size()) client.Say(piece);
  EXPECT_THAT(client.HearResponse(), EndsWith(std::to_string(kSize)));
}

TEST(ServerTest, StreamsChunkedBodiesIn) {
  auto server = Serve(Count);
  RawClient client(server->ports()[0]);
  client.Say("PUT /o HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string piece(100'000, 'x');
  for (int i = 0; i < 50; ++i) client.Say(fmt::format("{:x};name=value\r\n{}\r\n", piece.size(), piece));
  client.Say("0\r\nTrailer: value\r\n\r\n");
  EXPECT_THAT(client.HearResponse(), EndsWith("5000000"));
  client.Say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.HearResponse(), EndsWith("\r\n\r\n0"));
}

TEST(ServerTest, StreamsBodiesOut) {
  auto server = Serve([](Request& request) -> Task<Response> {
    Response response;
    response.body = std::make_shared<Counting>(1'000'000);
    if (request.path == "/sized") response.content_length = 1'000'000;
    co_return response;
  });
  RawClient client(server->ports()[0]);
  client.Say("GET /sized HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.HearResponse().substr(0, 15), "HTTP/1.1 200 OK");
  client.Say("GET /chunked HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.HearUntil("\r\n\r\n"), HasSubstr("Transfer-Encoding: chunked"));
  const std::string body = client.HearUntil("\r\n0\r\n\r\n");
  EXPECT_EQ(std::count(body.begin(), body.end(), 'x'), 1'000'000);
  client.Say("GET /old HTTP/1.0\r\n\r\n");  // no chunks in 1.0: the end of the connection is the end of the body
  const std::string old = client.HearAll();
  EXPECT_THAT(old, Not(HasSubstr("chunked")));
  EXPECT_EQ(std::count(old.begin(), old.end(), 'x'), 1'000'000);
}

TEST(ServerTest, SendsRangesOfFiles) {
  const TemporaryDirectory directory;
  std::string content(3'000'000, '\0');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>('a' + i % 23);
  ASSERT_TRUE(WriteFileAtomically(directory / "f", content));
  auto server = Serve([&](Request&) -> Task<Response> {
    Response response;
    response.status = 206;
    response.body = FileRange{
        std::make_shared<const Descriptor>(::open((directory / "f").c_str(), O_RDONLY | O_CLOEXEC)), 1000, 2'500'000};
    co_return response;
  });
  RawClient client(server->ports()[0]);
  client.Say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string response = client.HearResponse();
  EXPECT_THAT(response, StartsWith("HTTP/1.1 206 Partial Content\r\n"));
  EXPECT_TRUE(response.ends_with(content.substr(1000, 2'500'000)));
  client.Say("HEAD / HTTP/1.1\r\nHost: x\r\n\r\nHEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.HearUntil("\r\n\r\n"), HasSubstr("Content-Length: 2500000\r\n"));
  EXPECT_THAT(client.HearUntil("\r\n\r\n"), StartsWith("HTTP/1.1 206"));
}

TEST(ServerTest, RefusesWhatIsMalformedOrTooLarge) {
  auto server = Serve(Echo, {.header_bytes = 8192});
  const std::vector<std::pair<std::string, std::string>> cases{
      {"nonsense\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505"},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: ten\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "501"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(9000, 'x') + "\r\n\r\n", "431"},
      {"GET /" + std::string(20000, 'x'), "431"}};
  for (const auto& [said, status] : cases) {
    RawClient client(server->ports()[0]);
    client.Say(said);
    EXPECT_THAT(client.HearAll(), StartsWith("HTTP/1.1 " + status)) << said.substr(0, 100);
  }
}

TEST(ServerTest, RefusesBrokenChunks) {
  auto server = Serve(Echo);
  RawClient client(server->ports()[0]);
  client.Say("PUT /o HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  const std::string response = client.HearAll();
  EXPECT_THAT(response, StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(response, HasSubstr("chunked body"));
}

TEST(ServerTest, EndsSlowHeadsAndIdleConnections) {
  auto server = Serve(Echo, {.header_time = Milliseconds(200), .idle_time = Milliseconds(300)});
  RawClient slow(server->ports()[0]), idle(server->ports()[0]);
  slow.Say("GET / HT");
  EXPECT_THAT(slow.HearAll(), StartsWith("HTTP/1.1 408"));
  EXPECT_EQ(idle.HearAll(), "");
}

TEST(ServerTest, EndsBodiesThatStallOrDrip) {
  Limits limits{.stall_time = Milliseconds(300), .progress_grace = Milliseconds(600), .progress_rate = 1'000'000};
  auto server = Serve(Echo, limits);
  RawClient stalled(server->ports()[0]), dripping(server->ports()[0]);
  const std::string head = "PUT /o HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhello";
  stalled.Say(head);
  EXPECT_THAT(stalled.HearAll(), HasSubstr("too slow"));
  dripping.Say(head);
  auto heard = std::async(std::launch::async, [&] { return dripping.HearAll(); });
  for (int i = 0; i < 500 && heard.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready; ++i)
    dripping.Say("x");
  EXPECT_THAT(heard.get(), HasSubstr("too slow"));
}

// What was sent fast buys no time to drip.
TEST(ServerTest, EndsBodiesThatDripAfterABurst) {
  Limits limits{.stall_time = Milliseconds(300), .progress_grace = Milliseconds(600), .progress_rate = 1000};
  auto server = Serve(Count, limits);
  RawClient client(server->ports()[0]);
  client.Say("PUT /o HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + std::string(500'000, 'x'));
  auto heard = std::async(std::launch::async, [&] { return client.HearAll(); });
  int drops = 0;
  for (; drops < 500 && heard.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready; ++drops)
    client.Say("x");
  EXPECT_THAT(heard.get(), HasSubstr("too slow"));
  EXPECT_LT(drops, 500);
}

TEST(ServerTest, SlowClientsDoNotHoldOthersUp) {
  auto server = Serve(Echo);
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 200; ++i) {
    slow.push_back(std::make_unique<RawClient>(server->ports()[0]));
    slow.back()->Say(i % 2 == 0 ? "GET / HT" : "PUT /o HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhello");
  }
  RawClient client(server->ports()[0]);
  client.Say("GET /quick HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.HearResponse(), EndsWith("GET /quick "));
}

TEST(ServerTest, MakesRoomByClosingTheLongestIdle) {
  auto server = Serve(Echo, {.connections = 3});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<RawClient>(server->ports()[0]));
    clients.back()->Say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(clients.back()->HearResponse(), StartsWith("HTTP/1.1 200"));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(clients[0]->HearAll(), "");
  clients[3]->Say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(clients[3]->HearResponse(), StartsWith("HTTP/1.1 200"));
}

TEST(ServerTest, TurnsAwayWhenAllAreBusy) {
  auto server = Serve(Echo, {.connections = 2});
  std::vector<std::unique_ptr<RawClient>> busy;
  for (int i = 0; i < 2; ++i) {
    busy.push_back(std::make_unique<RawClient>(server->ports()[0]));
    busy.back()->Say("PUT /o HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_THAT(busy.back()->HearUntil("\r\n\r\n"), HasSubstr("100"));  // its handler is running
  }
  RawClient late(server->ports()[0]);
  EXPECT_THAT(late.HearAll(), StartsWith("HTTP/1.1 503"));
}

// Path /mine: a handler that knows who asks.
Task<Response> TrustMine(Request& request) {
  if (request.path == "/mine") request.Trust();
  return Echo(request);
}

TEST(ServerTest, StrangersPushOutOnlyStrangers) {
  auto server = Serve(TrustMine, {.connections = 8, .kept_connections = 4});
  RawClient mine(server->ports()[0]);
  mine.Say("GET /mine HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(mine.HearResponse(), StartsWith("HTTP/1.1 200"));
  std::vector<std::unique_ptr<RawClient>> strangers;
  for (int i = 0; i < 60; ++i) {
    strangers.push_back(std::make_unique<RawClient>(server->ports()[0]));
    if (i % 3 == 1) strangers.back()->Say("GET / HT");
    if (i % 3 == 2) strangers.back()->Say("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf");
    RawClient fresh(server->ports()[0]);
    fresh.Say("GET /mine HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(fresh.HearResponse(), StartsWith("HTTP/1.1 200")) << i;
  }
  EXPECT_EQ(strangers[0]->HearAll(), "");
  EXPECT_LE(server->open_connections(), 10U);
  mine.Say("GET /mine HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(mine.HearResponse(), StartsWith("HTTP/1.1 200"));
}

TEST(ServerTest, WhoIsTrustedMakesRoomWhenIdle) {
  auto server = Serve(TrustMine, {.connections = 4, .kept_connections = 2});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(std::make_unique<RawClient>(server->ports()[0]));
    clients.back()->Say("GET /mine HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(clients.back()->HearResponse(), StartsWith("HTTP/1.1 200")) << i;
  }
  EXPECT_EQ(clients[0]->HearAll(), "");
}

TEST(ServerTest, ABusyHouseSaysSlowDown) {
  auto server = Serve(TrustMine, {.connections = 2, .kept_connections = 1});
  std::vector<std::unique_ptr<RawClient>> busy;
  for (int i = 0; i < 2; ++i) {
    busy.push_back(std::make_unique<RawClient>(server->ports()[0]));
    busy.back()->Say("PUT /mine HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_THAT(busy.back()->HearUntil("\r\n\r\n"), HasSubstr("100"));  // its handler is running
  }
  RawClient late(server->ports()[0]);
  late.Say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = late.HearAll();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(answer,
              EndsWith("<Error><Code>SlowDown</Code><Message>Too many connections; try again.</Message></Error>\n"));
  EXPECT_THAT(answer, HasSubstr(fmt::format("Content-Length: {}\r\n", answer.size() - answer.find("<?xml"))));
}

// Descriptors run out below the server: those who wait give theirs up, and it serves on.
TEST(ServerTest, OutlivesAWantOfDescriptors) {
#if defined(__clang__)
#if __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP() << "the sanitizer looks at objects' types through a pipe of its own, which wants descriptors";
#endif
#endif
  auto server = Serve(TrustMine);
  RawClient mine(server->ports()[0]);
  mine.Say("GET /mine HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(mine.HearResponse(), StartsWith("HTTP/1.1 200"));
  std::vector<std::unique_ptr<RawClient>> strangers;
  for (int i = 0; i < 4; ++i) strangers.push_back(std::make_unique<RawClient>(server->ports()[0]));
  while (server->open_connections() < 5) std::this_thread::sleep_for(Milliseconds(1));
  RawClient late;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{512, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  std::vector<Descriptor> all;
  for (Descriptor next(::dup(late.descriptor())); next; next = Descriptor(::dup(late.descriptor())))
    all.push_back(std::move(next));
  late.Connect(server->ports()[0]);
  late.Say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(late.HearResponse(), StartsWith("HTTP/1.1 200"));
  all.clear();
  ::setrlimit(RLIMIT_NOFILE, &before);
  mine.Say("GET /mine HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(mine.HearResponse(), StartsWith("HTTP/1.1 200"));
}

TEST(ServerTest, WhatAHandlerThrowsIsA500) {
  auto server = Serve([](Request&) -> Task<Response> {
    throw std::runtime_error("oops");
    co_return Response();
  });
  RawClient client(server->ports()[0]);
  client.Say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string response = client.HearResponse();
  EXPECT_THAT(response, StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(response, HasSubstr("request id"));
  EXPECT_THAT(response, Not(HasSubstr("oops")));
}

TEST(ServerTest, ReadsAwayShortBodiesAndClosesBeforeLongOnes) {
  auto server = Serve([](Request&) -> Task<Response> { co_return TextResponse(404, "text/plain", "none"); });
  RawClient client(server->ports()[0]);
  client.Say("PUT /o HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_THAT(client.HearResponse(), Not(HasSubstr("Connection: close")));
  client.Say("PUT /o HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\nhello");
  EXPECT_THAT(client.HearAll(), HasSubstr("Connection: close"));
}

TEST(ServerTest, ValuesCannotBeginFields) {
  auto server = Serve([](Request&) -> Task<Response> {
    Response response = TextResponse(200, "text/plain", "");
    response.headers.Set("x-amz-meta-a", "b\r\nSet-Cookie: c");
    co_return response;
  });
  RawClient client(server->ports()[0]);
  client.Say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.HearResponse(), HasSubstr("x-amz-meta-a: b  Set-Cookie: c\r\n"));
}

TEST(ServerTest, TellsTheObserver) {
  std::mutex mutex;
  std::vector<std::string> seen;
  auto observe = [&](const Exchange& exchange) {
    const std::lock_guard lock(mutex);
    seen.push_back(fmt::format("{} {} {} {} {}", exchange.request.method, exchange.status, exchange.received_bytes,
                               exchange.sent_bytes, exchange.complete));
  };
  auto server = Server::Listen({.listeners = {{}}, .observer = observe}, Count);
  ASSERT_TRUE(server);
  RawClient client((*server)->ports()[0]);
  client.Say("PUT /o HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
  client.HearResponse();
  (*server)->Stop(kGrace);
  EXPECT_THAT(seen, testing::ElementsAre("PUT 200 5 1 true"));
}

TEST(ServerTest, BindsItsThreadsToAProcessorEach) {
  const auto count = [](Request&) -> Task<Response> {
    co_return TextResponse(200, "text/plain", std::to_string(Processors().size()));
  };
  for (const bool bound : {false, true}) {
    auto server = Server::Listen({.listeners = {{}}, .bind_threads = bound}, count);
    ASSERT_TRUE(server);
    RawClient client((*server)->ports()[0]);
    client.Say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.HearResponse(), EndsWith("\r\n\r\n" + std::to_string(bound ? 1 : Processors().size())));
  }
}

TEST(ServerTest, StopLetsRunningRequestsEnd) {
  ThreadPool pool(2, 10);
  std::promise<void> began, finish;
  auto server = Serve([&](Request&) -> Task<Response> {
    auto done = co_await OnPool(pool, [&] {
      began.set_value();
      finish.get_future().wait();
    });
    co_return TextResponse(done ? 200 : 503, "text/plain", "done");
  });
  RawClient client(server->ports()[0]), idle(server->ports()[0]);
  client.Say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  began.get_future().wait();
  std::thread stopper([&] { server->Stop(kGrace); });
  EXPECT_EQ(idle.HearAll(), "");  // who waits for nothing is let go at once
  finish.set_value();
  EXPECT_THAT(client.HearAll(), EndsWith("done"));
  stopper.join();
  EXPECT_EQ(server->open_connections(), 0U);
}

TEST(ServerTest, StopCutsWhatOutlastsTheGrace) {
  auto server = Serve(Echo);
  RawClient client(server->ports()[0]);
  client.Say("PUT /o HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n");
  client.HearUntil("\r\n\r\n");
  server->Stop(Milliseconds(50));
  EXPECT_EQ(client.HearAll(), "");
}

TEST(ServerTest, TwoServersCannotShareAPort) {
  auto first = Serve(Echo);
  auto second = Server::Listen({.listeners = {{"127.0.0.1", first->ports()[0]}}}, Echo);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message(), HasSubstr("cannot listen"));
}

TEST(BlockingTest, AFullQueueIsUnavailable) {
  ThreadPool pool(1, 0);
  auto server = Serve([&](Request&) -> Task<Response> {
    auto done = co_await OnPool(pool, [] { return 1; });
    co_return TextResponse(done ? 200 : 503, "text/plain", done ? "" : done.error().message());
  });
  RawClient client(server->ports()[0]);
  client.Say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.HearResponse(), StartsWith("HTTP/1.1 503"));
}

TEST(BlockingTest, PassesResultsErrorsAndExceptions) {
  ThreadPool pool(1, 10);
  auto server = Serve([&](Request& request) -> Task<Response> {
    auto done = co_await OnPool(pool, [&]() -> Result<std::string> {
      if (request.path == "/fail") return Fail(ErrorCode::kNotFound, "nothing");
      if (request.path == "/throw") throw std::runtime_error("oops");
      return "value";
    });
    co_return TextResponse(done ? 200 : 404, "text/plain", done ? *done : done.error().message());
  });
  RawClient client(server->ports()[0]);
  for (const auto& [path, status] : {std::pair{"/", "200"}, {"/fail", "404"}, {"/throw", "500"}}) {
    client.Say(fmt::format("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", path));
    EXPECT_THAT(client.HearResponse(), StartsWith(fmt::format("HTTP/1.1 {}", status)));
  }
}

}  // namespace
}  // namespace headrace::http
