// What is said through a launch door: the Unix socket of one host of a job, by which its first host has processes
// started there. A request is a header and a command line for /bin/sh; the answer is the wait status of the command,
// four bytes, when it has ended. Both ends are programs of the same job. Without the C++ library.
#pragma once

#include <cstdint>
#include <cstring>

namespace headrace::jobs {

enum class LaunchKind : uint32_t {
  kLaunch = 1,  // run the command line; the asker's end ends it
  kWatch = 2,   // nothing is run: when this connection ends, the door closes for good
};

struct LaunchHeader {
  char magic[8];
  uint32_t kind, bytes;  // bytes of the command line that follows
};
static_assert(sizeof(LaunchHeader) == 16);

inline constexpr char kLaunchMagic[8] = {'H', 'R', 'D', 'O', 'O', 'R', '1', '\n'};
// The kernel takes no longer argument.
inline constexpr uint32_t kLongestCommand = 128 * 1024 - 1;

enum class LaunchParse { kNeedsMore, kComplete, kWrong };

struct LaunchRequest {
  LaunchKind kind;
  const char* command;  // in the bytes that were given; not terminated
  uint32_t size;
};

inline LaunchHeader MakeLaunchHeader(LaunchKind kind, uint32_t bytes) {
  LaunchHeader header{};
  memcpy(header.magic, kLaunchMagic, sizeof header.magic);
  header.kind = static_cast<uint32_t>(kind);
  header.bytes = bytes;
  return header;
}

// Of the bytes that have come so far. kWrong: whatever comes, it is no request. A command line holds no zero byte.
inline LaunchParse ParseLaunchRequest(const char* bytes, uint32_t size, LaunchRequest& request) {
  LaunchHeader header{};
  const uint32_t some = size < sizeof header.magic ? size : static_cast<uint32_t>(sizeof header.magic);
  if (memcmp(bytes, kLaunchMagic, some) != 0) return LaunchParse::kWrong;
  if (size < sizeof header) return LaunchParse::kNeedsMore;
  memcpy(&header, bytes, sizeof header);
  const bool launch = header.kind == static_cast<uint32_t>(LaunchKind::kLaunch);
  const bool watch = header.kind == static_cast<uint32_t>(LaunchKind::kWatch);
  if (!launch && !watch) return LaunchParse::kWrong;
  if (header.bytes > kLongestCommand || launch == (header.bytes == 0)) return LaunchParse::kWrong;
  if (size - sizeof header < header.bytes) return LaunchParse::kNeedsMore;
  if (size - sizeof header > header.bytes) return LaunchParse::kWrong;
  request = {static_cast<LaunchKind>(header.kind), bytes + sizeof header, header.bytes};
  if (memchr(request.command, 0, request.size) != nullptr) return LaunchParse::kWrong;
  return LaunchParse::kComplete;
}

}  // namespace headrace::jobs
