#include "http/ping.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace headrace::http {
namespace {

using testing::HasSubstr;

// Stands for a model server; says what it is told to, when it is told to.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address_), size), 0);
    EXPECT_EQ(::listen(socket_.get(), 4), 0);
    EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address_), &size), 0);
  }
  uint16_t port() const { return ntohs(address_.sin_port); }
  void Accept() { peer_ = Descriptor(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)); }
  std::string Hear() const {
    char text[4096];
    const ssize_t n = ::recv(peer_.get(), text, sizeof text, 0);
    return {text, static_cast<size_t>(std::max<ssize_t>(n, 0))};
  }
  void Say(std::string_view text) const {
    EXPECT_EQ(::send(peer_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  void HangUp() { peer_.Reset(); }
  void Close() { socket_.Reset(); }

 private:
  Descriptor socket_, peer_;
  sockaddr_in address_{};
};

// Attends whenever there is something to attend to; at time 0, which no deadline has.
Status Outcome(Ping& ping) {
  while (true) {
    if (auto outcome = ping.Attend(0)) return *outcome;
    std::vector<pollfd> watched;
    ping.AddTo(watched);
    EXPECT_EQ(watched.size(), 1u);
    if (::poll(watched.data(), watched.size(), 10'000) <= 0) return Fail(ErrorCode::kInternal, "nothing happens");
  }
}

TEST(Ping, SucceedsWithStatus200) {
  Listener server;
  Ping ping(server.port(), 1000);
  EXPECT_FALSE(ping.Attend(0));
  server.Accept();
  EXPECT_THAT(server.Hear(), HasSubstr("GET /ping HTTP/1.1\r\n"));
  server.Say("HTTP/1.1 20");
  EXPECT_FALSE(ping.Attend(0));
  server.Say("0 OK\r\n");
  EXPECT_TRUE(Outcome(ping));
}

TEST(Ping, QuotesAnotherAnswer) {
  Listener server;
  Ping ping(server.port(), 1000);
  server.Accept();
  server.Say("HTTP/1.1 503 Busy\r\nContent-Length: 8\r\n\r\nno ");
  EXPECT_FALSE(ping.Attend(0));
  server.Say("model");
  server.HangUp();
  EXPECT_EQ(Outcome(ping).error().message(), "/ping answered 503: no model");
}

TEST(Ping, DoesNotWaitForOneThatHangs) {
  Listener server;  // nobody accepts, as with a process that is stopped
  Ping ping(server.port(), 1000);
  EXPECT_EQ(ping.deadline(), 1000);
  EXPECT_FALSE(ping.Attend(0));
  EXPECT_FALSE(ping.Attend(999));
  EXPECT_EQ((*ping.Attend(1000)).error().message(), "no answer to /ping in time");
}

TEST(Ping, SaysWhyNothingCame) {
  Listener server;
  {
    Ping ping(server.port(), 1000);
    EXPECT_FALSE(ping.Attend(0));
    server.Accept();
    server.Hear();
    server.HangUp();
    EXPECT_THAT(Outcome(ping).error().message(), HasSubstr("closed without an answer"));
  }
  server.Close();
  Ping ping(server.port(), 1000);
  EXPECT_THAT(Outcome(ping).error().message(), HasSubstr("Connection refused"));
}

TEST(Ping, TakesNoEndlessAnswer) {
  Listener server;
  Ping ping(server.port(), 1000);
  server.Accept();
  server.Say(std::string(5000, 'x'));
  EXPECT_THAT(Outcome(ping).error().message(), HasSubstr("/ping answered 0: xxx"));
}

}  // namespace
}  // namespace headrace::http
