#include "base/beneath.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"

namespace headrace {
namespace {

tl::unexpected<Error> FailBelow(const std::string& directory, std::string_view name, const char* what) {
  const int error = errno;
  const auto code = [error] {
    switch (error) {
      case ENOENT:
        return ErrorCode::kNotFound;
      case ENOTDIR:
      case ELOOP:
      case EXDEV:
      case EISDIR:
      case ENXIO:
      case ENAMETOOLONG:
      case EACCES:
        return ErrorCode::kInvalidArgument;
      case ENOSPC:
      case EDQUOT:
      case EMFILE:
      case ENFILE:
        return ErrorCode::kResourceExhausted;
      default:
        return ErrorCode::kFailedPrecondition;
    }
  }();
  const char* why = error == ELOOP     ? "there is a link in its path"
                    : error == EXDEV   ? "it leads out of the directory"
                    : error == ENOTDIR ? "something that is no directory is in its path"
                    : error == ENOSYS  ? "the system has no openat2: Linux 5.6 or later is needed"
                                       : std::strerror(error);
  return Fail(code, "{}/{}: cannot {}: {}", directory, name.substr(0, 300), what, why);
}

// As openat2, but for a name of any length: one longer than the kernel takes is walked piece by piece.
Descriptor OpenBelow(int directory, std::string_view name, int flags, mode_t mode = 0) {
  Descriptor held;
  const auto open = [&](std::string_view part, int with, mode_t permissions) {
    struct open_how how {};
    how.flags = static_cast<uint64_t>(with | O_CLOEXEC);
    how.mode = permissions;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const int from = held ? held.get() : directory;
    int opened = -1;
    do opened = static_cast<int>(::syscall(SYS_openat2, from, std::string(part).c_str(), &how, sizeof how));
    while (opened < 0 && (errno == EAGAIN || errno == EINTR));
    return Descriptor(opened);
  };
  while (name.size() >= PATH_MAX) {
    const auto cut = name.rfind('/', PATH_MAX - 2);
    if (cut == std::string_view::npos || cut == 0) {
      errno = ENAMETOOLONG;
      return {};
    }
    held = open(name.substr(0, cut), O_PATH | O_DIRECTORY, 0);
    if (!held) return {};
    name.remove_prefix(cut + 1);
  }
  return open(name, flags, mode);
}

tl::unexpected<Error> Unsafe(const std::string& directory, std::string_view name) {
  return Fail(ErrorCode::kInvalidArgument,
              "{}: '{}' is no name below it: wanted parts between slashes, none of them empty, '.' or '..'", directory,
              name.substr(0, 300));
}

struct CloseDirectory {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

}  // namespace

bool IsSafeRelativePath(std::string_view name) {
  if (name.empty() || name.find('\0') != std::string_view::npos) return false;
  for (size_t begin = 0; begin <= name.size();) {
    const auto end = std::min(name.find('/', begin), name.size());
    const auto part = name.substr(begin, end - begin);
    if (part.empty() || part == "." || part == ".." || part.size() > NAME_MAX) return false;
    begin = end + 1;
  }
  return true;
}

Result<HeldDirectory> HeldDirectory::Open(const std::string& path, const std::string& shown) {
  Descriptor directory(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) {
    const int error = errno;
    return Fail(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kFailedPrecondition,
                "{}: cannot open the directory: {}", shown, std::strerror(error));
  }
  return HeldDirectory(std::move(directory), shown);
}

Result<HeldDirectory> HeldDirectory::Make(const std::string& path) {
  HEADRACE_TRY(headrace::MakeDirectories(path));
  return Open(path);
}

Result<HeldDirectory> HeldDirectory::OpenDirectory(std::string_view name) const {
  if (!IsSafeRelativePath(name)) return Unsafe(path_, name);
  auto opened = OpenBelow(directory_.get(), name, O_PATH | O_DIRECTORY);
  if (!opened) return FailBelow(path_, name, "open the directory");
  return HeldDirectory(std::move(opened), path_ + "/" + std::string(name));
}

Result<HeldDirectory> HeldDirectory::MakeDirectories(std::string_view name) const {
  if (!IsSafeRelativePath(name)) return Unsafe(path_, name);
  Descriptor held;
  for (size_t begin = 0; begin < name.size();) {
    const auto end = std::min(name.find('/', begin), name.size());
    const std::string part(name.substr(begin, end - begin));
    const int from = held ? held.get() : directory_.get();
    if (::mkdirat(from, part.c_str(), 0755) != 0 && errno != EEXIST)
      return FailBelow(path_, name.substr(0, end), "make the directory");
    Descriptor made(::openat(from, part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!made) return FailBelow(path_, name.substr(0, end), "make the directory");
    held = std::move(made);
    begin = end + 1;
  }
  return HeldDirectory(std::move(held), path_ + "/" + std::string(name));
}

Result<Descriptor> HeldDirectory::OpenFile(std::string_view name) const {
  if (!IsSafeRelativePath(name)) return Unsafe(path_, name);
  auto file = OpenBelow(directory_.get(), name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return FailBelow(path_, name, "open the file");
  if (!S_ISREG(status.st_mode))
    return Fail(ErrorCode::kInvalidArgument, "{}/{}: found a {}, wanted a file", path_, name.substr(0, 300),
                S_ISDIR(status.st_mode) ? "directory" : "FIFO, device or socket");
  return file;
}

Result<std::string> HeldDirectory::Read(std::string_view name, size_t max_bytes) const {
  HEADRACE_ASSIGN(const auto file, OpenFile(name));
  std::string bytes;
  char chunk[1 << 14];
  while (true) {
    const ssize_t n = ::read(file.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailBelow(path_, name, "read");
    if (n == 0) return bytes;
    if (bytes.size() + static_cast<size_t>(n) > max_bytes)
      return Fail(ErrorCode::kResourceExhausted, "{}/{}: larger than the limit of {} bytes", path_, name.substr(0, 300),
                  max_bytes);
    bytes.append(chunk, static_cast<size_t>(n));
  }
}

Result<NamedPlace> HeldDirectory::PlaceOf(std::string_view name) const {
  if (!IsSafeRelativePath(name)) return Unsafe(path_, name);
  const auto cut = name.rfind('/');
  const bool direct = cut == std::string_view::npos;
  NamedPlace place{OpenBelow(directory_.get(), direct ? "." : name.substr(0, cut), O_PATH | O_DIRECTORY),
                   std::string(direct ? name : name.substr(cut + 1))};
  if (!place.directory) return FailBelow(path_, name, "open its directory");
  return place;
}

Result<Descriptor> HeldDirectory::CreateFile(std::string_view name, mode_t mode) const {
  HEADRACE_ASSIGN(const auto place, PlaceOf(name));
  if (::unlinkat(place.directory.get(), place.name.c_str(), 0) != 0 && errno != ENOENT)
    return FailBelow(path_, name, "replace");
  Descriptor file(
      ::openat(place.directory.get(), place.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file) return FailBelow(path_, name, "create");
  return file;
}

Status HeldDirectory::Write(std::string_view name, std::string_view bytes, mode_t mode) const {
  HEADRACE_ASSIGN(const auto file, CreateFile(name, mode));
  while (!bytes.empty()) {
    const ssize_t n = ::write(file.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailBelow(path_, name, "write");
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Result<struct stat> HeldDirectory::Examine(std::string_view name) const {
  HEADRACE_ASSIGN(const auto place, PlaceOf(name));
  struct stat status {};
  if (::fstatat(place.directory.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return FailBelow(path_, name, "examine");
  return status;
}

Result<std::vector<std::string>> HeldDirectory::List(uint64_t limit) const {
  Descriptor readable(::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, CloseDirectory> stream(readable ? ::fdopendir(readable.get()) : nullptr);
  if (!stream) return FailBelow(path_, ".", "list");
  readable.Release();  // the stream's now
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) return FailBelow(path_, ".", "list");
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (names.size() == limit)
      return Fail(ErrorCode::kResourceExhausted, "{}: more than {} files in one directory", path_, limit);
    names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace headrace
