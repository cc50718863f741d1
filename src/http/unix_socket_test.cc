#include "http/unix_socket.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/testing/temporary_directory.h"
#include "http/client.h"
#include "http/ping.h"
#include "http/server.h"

namespace headrace::http {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(UnixSocket, ConnectsHoweverLongThePathIs) {
  TemporaryDirectory directory;
  const std::string deep = directory / (std::string(200, 'd') + "/" + std::string(200, 'e'));
  fs::create_directories(deep);
  const auto listening = ValueOrThrow(ListenAtPath(deep + "/s"));
  const auto client = ValueOrThrow(ConnectToPath(deep + "/s"));
  const Descriptor accepted(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(accepted);
  ASSERT_EQ(::send(client.get(), "x", 1, MSG_NOSIGNAL), 1);
  char byte = 0;
  EXPECT_EQ(::recv(accepted.get(), &byte, 1, 0), 1);
  struct stat status {};
  ASSERT_EQ(::stat((deep + "/s").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST(UnixSocket, ReplacesWhatADeadProcessHasLeft) {
  TemporaryDirectory directory;
  const auto path = directory / "s";
  { const auto gone = ValueOrThrow(ListenAtPath(path)); }
  EXPECT_THAT(ConnectToPath(path).error().message(), HasSubstr("Connection refused"));
  const auto listening = ValueOrThrow(ListenAtPath(path));
  EXPECT_TRUE(ConnectToPath(path));
  const auto second = ListenAtPath(path);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message(), HasSubstr("somebody listens there already"));
}

TEST(UnixSocket, IsNotLedElsewhere) {
  TemporaryDirectory directory;
  const auto listening = ValueOrThrow(ListenAtPath(directory / "real"));
  fs::create_symlink("real", directory / "link");
  fs::create_directory(directory / "folder");
  for (const char* name : {"link", "folder", "none"})
    EXPECT_EQ(ConnectToPath(directory / name).error().code(), ErrorCode::kUnavailable) << name;
}

TEST(UnixSocket, ServesHttp) {
  TemporaryDirectory directory;
  const auto path = directory / "s";
  ServerOptions options;
  options.listeners = {{.unix_socket = path}};
  auto server = ValueOrThrow(Server::Listen(std::move(options), [](Request& request) -> Task<Response> {
    auto body = co_await ReadAll(*request.body, 100 << 20);
    co_return TextResponse(200, "text/plain", request.peer + " " + request.path + " " + std::to_string(body->size()));
  }));
  EXPECT_EQ(server->ports(), std::vector<uint16_t>{0});
  Client client;
  const auto ask = [&](std::string body) {
    const ClientRequest request{.unix_socket = path, .method = "POST", .target = "/m", .body = std::move(body)};
    return SendAndWait(client, request, std::chrono::seconds(20));
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ValueOrThrow(ask("four")).body, "local /m 4");
  EXPECT_EQ(server->open_connections(), 1U);  // one connection, used again
  EXPECT_EQ(ValueOrThrow(ask(std::string(5'000'000, 'x'))).body, "local /m 5000000");
  server->Stop(std::chrono::milliseconds(0));
  server.reset();
  EXPECT_EQ(ask("").error().code(), ErrorCode::kUnavailable);
  client.Forget(path);
}

}  // namespace
}  // namespace headrace::http
