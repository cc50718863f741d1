#include "http/client.h"

#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server.h"
#include "http/testing/raw_client.h"

namespace headrace::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using Milliseconds = std::chrono::milliseconds;

std::unique_ptr<Server> Serve(Handler handler, Limits limits = {}) {
  return ValueOrThrow(Server::Listen({.listeners = {{}}, .limits = limits}, std::move(handler)));
}

// A proxy in front of `back`: what a client of it hears is what Client heard.
std::unique_ptr<Server> Proxy(Client& client, uint16_t back, Milliseconds limit) {
  return Serve([&client, back, limit](Request& request) -> Task<Response> {
    auto body = co_await ReadAll(*request.body, 100 << 20);
    const ClientRequest asked{
        .port = back, .method = request.method, .target = request.target, .body = std::move(*body)};
    auto answer = co_await client.Send(asked, limit);
    if (!answer) co_return TextResponse(502, "text/plain", answer.error().message());
    co_return TextResponse(answer->status, answer->headers.Get("Content-Type"), answer->body);
  });
}

std::string Ask(RawClient& client, const std::string& target, const std::string& body) {
  client.Say(fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}", target, body.size(), body));
  return client.HearResponse();
}

TEST(ClientTest, AsksAgainOnTheSameConnection) {
  std::atomic<int> asked = 0;
  auto back = Serve([&](Request& request) -> Task<Response> {
    ++asked;
    auto body = co_await ReadAll(*request.body, 100 << 20);
    co_return TextResponse(201, "text/x", request.target + " " + std::to_string(body->size()));
  });
  Client client;
  auto front = Proxy(client, back->ports()[0], Milliseconds(20'000));
  RawClient user(front->ports()[0]);
  for (int i = 0; i < 20; ++i) EXPECT_THAT(Ask(user, "/m?x=1", "hello"), EndsWith("/m?x=1 5"));
  EXPECT_THAT(Ask(user, "/large", std::string(5'000'000, 'x')), EndsWith("/large 5000000"));
  EXPECT_EQ(asked, 21);
  EXPECT_EQ(back->open_connections(), 1U);
}

TEST(ClientTest, OutlivesKeptConnectionsThatTheServerClosed) {
  auto handler = [](Request&) -> Task<Response> { co_return TextResponse(200, "text/plain", "here"); };
  auto back = Serve(handler, {.idle_time = Milliseconds(30)});
  Client client;
  auto front = Proxy(client, back->ports()[0], Milliseconds(20'000));
  RawClient user(front->ports()[0]);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Ask(user, "/", ""), EndsWith("here"));
    while (back->open_connections() > 0) ::usleep(1000);
  }
}

TEST(ClientTest, TellsWhatWentWrong) {
  Client client;
  uint16_t gone = 0;
  {
    auto closed = Serve([](Request&) -> Task<Response> { co_return Response(); });
    gone = closed->ports()[0];
  }
  auto front = Proxy(client, gone, Milliseconds(20'000));
  RawClient user(front->ports()[0]);
  EXPECT_THAT(Ask(user, "/", ""), HasSubstr("connect: Connection refused"));
}

TEST(ClientTest, DoesNotWaitForever) {
  Client client;
  // A port where nobody accepts.
  const Descriptor deaf(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(deaf.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(deaf.get(), 5), 0);
  ASSERT_EQ(::getsockname(deaf.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  auto waiting = Proxy(client, ntohs(address.sin_port), Milliseconds(100));
  RawClient patient(waiting->ports()[0]);
  EXPECT_THAT(Ask(patient, "/", ""), HasSubstr("no answer in time"));
}

}  // namespace
}  // namespace headrace::http
