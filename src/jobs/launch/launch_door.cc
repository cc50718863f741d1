#include "jobs/launch/launch_door.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "jobs/launch/launch_request.h"

namespace headrace::jobs {
namespace {

constexpr int kWaiting = 16;  // who has connected and is not yet let in

// A socket's name has room for 107 bytes: it is given below a held directory.
struct Place {
  Descriptor directory;
  struct sockaddr_un address {};
};

Result<Place> PlaceOf(const std::string& directory, const std::string& name) {
  Place place{Descriptor(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC))};
  if (!place.directory) return Fail(ErrorCode::kFailedPrecondition, "{}: {}", directory, std::strerror(errno));
  place.address.sun_family = AF_UNIX;
  const int size = std::snprintf(place.address.sun_path, sizeof place.address.sun_path, "/proc/self/fd/%d/%s",
                                 place.directory.get(), name.c_str());
  if (size < 0 || static_cast<size_t>(size) >= sizeof place.address.sun_path)
    return Fail(ErrorCode::kInvalidArgument, "{}: too long for a socket", name);
  return place;
}

Result<Descriptor> NewSocket() {
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return Fail(ErrorCode::kResourceExhausted, "cannot make a socket: {}", std::strerror(errno));
  return socket;
}

}  // namespace

Result<Descriptor> MakeDoor(const std::string& directory, const std::string& host) {
  const std::string unfinished = "." + host, shut = directory + "/" + unfinished;
  HEADRACE_ASSIGN(const auto place, PlaceOf(directory, unfinished));
  HEADRACE_ASSIGN(auto socket, NewSocket());
  ::unlink(shut.c_str());
  if (::bind(socket.get(), reinterpret_cast<const struct sockaddr*>(&place.address), sizeof place.address) != 0 ||
      ::listen(socket.get(), kWaiting) != 0 || std::rename(shut.c_str(), (directory + "/" + host).c_str()) != 0)
    return Fail(ErrorCode::kFailedPrecondition, "the launch door of {}: {}", host, std::strerror(errno));
  return socket;
}

Result<Descriptor> WatchDoor(const std::string& directory, const std::string& host) {
  HEADRACE_ASSIGN(const auto place, PlaceOf(directory, host));
  HEADRACE_ASSIGN(auto socket, NewSocket());
  if (::connect(socket.get(), reinterpret_cast<const struct sockaddr*>(&place.address), sizeof place.address) != 0)
    return Fail(errno == ENOENT || errno == ECONNREFUSED ? ErrorCode::kNotFound : ErrorCode::kFailedPrecondition,
                "the launch door of {}: {}", host, std::strerror(errno));
  const auto header = MakeLaunchHeader(LaunchKind::kWatch, 0);
  if (::send(socket.get(), &header, sizeof header, MSG_NOSIGNAL) != sizeof header)
    return Fail(ErrorCode::kFailedPrecondition, "the launch door of {}: {}", host, std::strerror(errno));
  return socket;
}

}  // namespace headrace::jobs
