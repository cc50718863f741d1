#include "http/unix_socket.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace headrace::http {
namespace {

// What is behind an open descriptor, as an address: short, whatever its path is.
sockaddr_un AddressBehind(const Descriptor& opened, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto text = fmt::format("/proc/self/fd/{}{}", opened.get(), name);
  text.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

const sockaddr* Generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

}  // namespace

Result<Descriptor> ListenAtPath(const std::string& path) {
  const auto wrong = [&](const char* what) {
    return Fail(ErrorCode::kUnavailable, "{}: {}: {}", path, what, std::strerror(errno));
  };
  if (ConnectToPath(path)) return Fail(ErrorCode::kUnavailable, "{}: somebody listens there already", path);
  const auto slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name.empty() || name.size() > 60)
    return Fail(ErrorCode::kInvalidArgument, "{}: wanted a file name of 1 to 60 bytes for a socket", path);
  const Descriptor opened(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!opened) return wrong("cannot open its directory");
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || ::fchmod(socket.get(), 0600) != 0) return wrong("cannot make a socket");  // what bind gives the file
  const std::string unready = fmt::format("{}.{}", name, ::getpid());
  ::unlinkat(opened.get(), unready.c_str(), 0);
  const auto address = AddressBehind(opened, "/" + unready);
  if (::bind(socket.get(), Generic(address), sizeof address) != 0) return wrong("cannot bind");
  if (::listen(socket.get(), SOMAXCONN) != 0 ||
      ::renameat(opened.get(), unready.c_str(), opened.get(), name.c_str()) != 0) {
    const int failure = errno;
    ::unlinkat(opened.get(), unready.c_str(), 0);
    errno = failure;
    return wrong("cannot listen");
  }
  return socket;
}

Result<Descriptor> ConnectToPath(const std::string& path) {
  const Descriptor opened(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!opened || ::fstat(opened.get(), &status) != 0)
    return Fail(ErrorCode::kUnavailable, "{}: {}", path, std::strerror(errno));
  if (!S_ISSOCK(status.st_mode)) return Fail(ErrorCode::kUnavailable, "{}: not a socket", path);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto address = AddressBehind(opened, "");
  // A TCP socket's buffer would grow to this by itself: a request of a batch of images goes in one piece.
  const int buffer = 1 << 20;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  // Either at once or not at all: EAGAIN says that too many wait there already.
  if (!socket || ::connect(socket.get(), Generic(address), sizeof address) != 0)
    return Fail(ErrorCode::kUnavailable, "{}: connect: {}", path, std::strerror(errno));
  return socket;
}

}  // namespace headrace::http
