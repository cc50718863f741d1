#include "http/ping.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include "base/testing/temporary_directory.h"
#include "http/unix_socket.h"

namespace headrace::http {
namespace {

using testing::HasSubstr;

// Stands for a model server; says what it is told to, when it is told to.
class ModelServerStandIn {
 public:
  const std::string& path() const { return path_; }
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
  TemporaryDirectory directory_;
  const std::string path_ = directory_ / "s";
  Descriptor socket_ = ValueOrThrow(ListenAtPath(path_)), peer_;
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
  ModelServerStandIn server;
  Ping ping(server.path(), 1000);
  EXPECT_FALSE(ping.Attend(0));
  server.Accept();
  EXPECT_THAT(server.Hear(), HasSubstr("GET /ping HTTP/1.1\r\n"));
  server.Say("HTTP/1.1 20");
  EXPECT_FALSE(ping.Attend(0));
  server.Say("0 OK\r\n");
  EXPECT_TRUE(Outcome(ping));
}

TEST(Ping, QuotesAnotherAnswer) {
  ModelServerStandIn server;
  Ping ping(server.path(), 1000);
  server.Accept();
  server.Say("HTTP/1.1 503 Busy\r\nContent-Length: 8\r\n\r\nno ");
  EXPECT_FALSE(ping.Attend(0));
  server.Say("model");
  server.HangUp();
  EXPECT_EQ(Outcome(ping).error().message(), "/ping answered 503: no model");
}

TEST(Ping, DoesNotWaitForOneThatHangs) {
  ModelServerStandIn server;  // nobody accepts, as with a process that is stopped
  Ping ping(server.path(), 1000);
  EXPECT_EQ(ping.deadline(), 1000);
  EXPECT_FALSE(ping.Attend(0));
  EXPECT_FALSE(ping.Attend(999));
  EXPECT_EQ((*ping.Attend(1000)).error().message(), "no answer to /ping in time");
}

TEST(Ping, SaysWhyNothingCame) {
  ModelServerStandIn server;
  {
    Ping ping(server.path(), 1000);
    EXPECT_FALSE(ping.Attend(0));
    server.Accept();
    server.Hear();
    server.HangUp();
    EXPECT_THAT(Outcome(ping).error().message(), HasSubstr("closed without an answer"));
  }
  server.Close();
  Ping ping(server.path(), 1000);
  EXPECT_THAT(Outcome(ping).error().message(), HasSubstr("Connection refused"));
}

TEST(Ping, TakesNoEndlessAnswer) {
  ModelServerStandIn server;
  Ping ping(server.path(), 1000);
  server.Accept();
  server.Say(std::string(5000, 'x'));
  EXPECT_THAT(Outcome(ping).error().message(), HasSubstr("/ping answered 0: xxx"));
}

}  // namespace
}  // namespace headrace::http
