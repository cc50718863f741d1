#include "sagemaker/transport/curl_sender.h"

#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/descriptor.h"

namespace headrace::sagemaker {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A port of this machine where a program listens; what it does with who comes is the test's affair.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_.get(), 8), 0);
    EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
  }
  const std::string& url() const { return url_; }

  // Takes one request and sends `answer`; returns the request's head.
  std::string Answer(const std::string& answer) const {
    const Descriptor connection(::accept(socket_.get(), nullptr, nullptr));
    std::string head;
    char byte = 0;
    while (head.find("\r\n\r\n") == std::string::npos && ::recv(connection.get(), &byte, 1, 0) == 1) head += byte;
    EXPECT_EQ(::send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(answer.size()));
    return head;
  }

 private:
  Descriptor socket_;
  std::string url_;
};

class CurlSenderTest : public testing::Test {
 protected:
  Outcome<HttpReply> Get(const std::string& url, Deadline deadline = {}, std::stop_token stop = {}) {
    HttpRequest request{.method = "GET", .url = url, .headers = {{"X-Test", "1"}}};
    request.sink = sink_;
    request.max_reply_bytes = 1000;
    return sender_->Send(request, deadline, stop);
  }

  std::unique_ptr<HttpSender> sender_ = MakeCurlSender(
      {.ca_bundle = {}, .connect_timeout = milliseconds(5000), .idle_timeout = milliseconds(5000), .proxies = false});
  std::function<Outcome<void>(std::string_view)> sink_;
  Listener listener_;
};

TEST_F(CurlSenderTest, SendsHeadersAndReadsTheAnswer) {
  std::string head;
  std::jthread server(
      [&] { head = listener_.Answer("HTTP/1.1 404 Not Found\r\nx-id:  7\r\nContent-Length: 4\r\n\r\nnone"); });
  const auto reply = Get(listener_.url() + "a/../b?c=%20");
  server.join();
  ASSERT_TRUE(reply.ok()) << reply.error().message();
  EXPECT_EQ(reply->status, 404);
  EXPECT_EQ(reply->Header("X-ID"), "7");
  EXPECT_EQ(reply->body, "none");
  EXPECT_THAT(head, testing::StartsWith("GET /a/../b?c=%20 HTTP/1.1\r\n"));  // as it was signed
  EXPECT_THAT(head, testing::HasSubstr("\r\nX-Test: 1\r\n"));
}

TEST_F(CurlSenderTest, OnlyGoodBodiesGoIntoTheSink) {
  std::string taken;
  sink_ = [&](std::string_view bytes) -> Outcome<void> {
    taken += bytes;
    return {};
  };
  std::jthread server([&] {
    listener_.Answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngood");
    listener_.Answer("HTTP/1.1 500 Oh\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbad");
  });
  EXPECT_EQ(Get(listener_.url())->body, "");
  EXPECT_EQ(Get(listener_.url())->body, "bad");
  EXPECT_EQ(taken, "good");
}

TEST_F(CurlSenderTest, AnswersAreBounded) {
  std::jthread server(
      [&] { listener_.Answer("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x')); });
  const auto reply = Get(listener_.url());
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code(), ErrorCode::kResourceExhausted);
}

TEST_F(CurlSenderTest, AnAnswerThatIsCutIsAnErrorThatMayPass) {
  std::jthread server([&] { listener_.Answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"); });
  const auto reply = Get(listener_.url());
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().service_code, "ConnectionError");
  EXPECT_TRUE(reply.error().retryable);
}

TEST_F(CurlSenderTest, TheDeadlineEndsTheWaiting) {
  const auto reply = Get(listener_.url(), steady_clock::now() + milliseconds(30));
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().service_code, "Timeout");
  EXPECT_FALSE(reply.error().retryable);
}

TEST_F(CurlSenderTest, AStopEndsTheWaiting) {
  std::stop_source stop;
  std::jthread other([&] {
    std::this_thread::sleep_for(milliseconds(30));
    stop.request_stop();
  });
  const auto reply = Get(listener_.url(), {}, stop.get_token());
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().service_code, "Cancelled");
}

}  // namespace
}  // namespace headrace::sagemaker
