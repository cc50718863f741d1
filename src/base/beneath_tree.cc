// HeldDirectory: what goes through whole trees, of any depth and with a bounded number of descriptors.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/beneath.h"

namespace headrace {
namespace {

// Directories nearer to the top than this stay open while what is below them is visited.
constexpr size_t kHeldLevels = 64;
constexpr size_t kPieceOfFile = size_t{64} << 20;

tl::unexpected<Error> FailInTree(const std::string& path, const char* what) {
  const int error = errno;
  return Fail(error == ENOSPC || error == EDQUOT || error == EMFILE || error == ENFILE ? ErrorCode::kResourceExhausted
                                                                                       : ErrorCode::kFailedPrecondition,
              "{}: cannot {}: {}", path.substr(0, 300), what, std::strerror(error));
}

// A place in a tree that moves one step down or up at a time. Far from the top it goes up by "..", and only when that
// leads to the directory it came from: the tree's owner may have moved it elsewhere meanwhile.
class Position {
 public:
  explicit Position(Descriptor top) { levels_.push_back(Level{std::move(top), {}}); }

  int directory() const { return levels_.back().directory.get(); }
  size_t depth() const { return levels_.size() - 1; }

  // False (with errno) when `name` is no directory, or no longer the one that `expected` tells of.
  bool Down(const char* name, const struct stat* expected = nullptr) {
    Level below{Descriptor(::openat(directory(), name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)), {}};
    if (!below.directory || ::fstat(below.directory.get(), &below.status) != 0) return false;
    if (expected != nullptr && !IsSame(*expected, below.status)) {
      errno = ENOENT;
      return false;
    }
    if (levels_.size() > kHeldLevels) levels_.back().directory.Reset();
    levels_.push_back(std::move(below));
    return true;
  }

  bool Up() {
    const Descriptor left = std::move(levels_.back().directory);
    levels_.pop_back();
    Level& above = levels_.back();
    if (above.directory) return true;
    above.directory = Descriptor(::openat(left.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
    struct stat status {};
    return above.directory && ::fstat(above.directory.get(), &status) == 0 && IsSame(status, above.status);
  }

 private:
  struct Level {
    Descriptor directory;
    struct stat status;
  };
  static bool IsSame(const struct stat& a, const struct stat& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
  }

  std::deque<Level> levels_;
};

Descriptor DuplicateOf(int descriptor) { return Descriptor(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3)); }

tl::unexpected<Error> Moved(const std::string& path) {
  return Fail(ErrorCode::kUnavailable, "{}: a directory of it was moved while it was read", path);
}

struct CloseTreeStream {
  void operator()(DIR* stream) const { ::closedir(stream); }
};
using Stream = std::unique_ptr<DIR, CloseTreeStream>;

// The owner of a directory may have left itself no right to read or change it.
Stream OpenStream(int directory) {
  int readable = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (readable < 0) return nullptr;
  Stream stream(::fdopendir(readable));
  if (!stream) ::close(readable);
  return stream;
}

void AllowOwner(int directory) {
  ::chmod(("/proc/self/fd/" + std::to_string(directory)).c_str(),
          0700);  // the very directory, whatever its name is now
}

// Removes what can be removed right in the directory. `below` becomes the name of a directory that is not empty, or "".
Status RemoveLeaves(int directory, const std::string& shown, std::string& below) {
  below.clear();
  auto stream = OpenStream(directory);
  if (!stream) {
    AllowOwner(directory);
    stream = OpenStream(directory);
  }
  if (!stream) return FailInTree(shown, "list");
  bool allowed = false;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    const auto remove = [&] {
      return ::unlinkat(directory, entry->d_name, 0) == 0 || errno == ENOENT ||
             (errno == EISDIR && ::unlinkat(directory, entry->d_name, AT_REMOVEDIR) == 0);
    };
    if (remove()) continue;
    if (errno == EACCES && !std::exchange(allowed, true)) {
      AllowOwner(directory);
      if (remove()) continue;
    }
    if (errno != ENOTEMPTY && errno != EEXIST) return FailInTree(shown + "/" + std::string(name), "remove");
    below = name;
    return {};
  }
  return {};
}

Status RemoveAllBelow(Descriptor top, const std::string& shown) {
  Position at(std::move(top));
  std::deque<std::string> names;
  std::string below;
  while (true) {
    HEADRACE_TRY(RemoveLeaves(at.directory(), shown, below));
    if (!below.empty()) {
      if (!at.Down(below.c_str())) {
        if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) continue;  // something else by now: look again
        if (errno == EACCES) AllowOwner(at.directory());
        if (!at.Down(below.c_str())) return FailInTree(shown, "open a directory of it");
      }
      names.push_back(std::move(below));
      continue;
    }
    if (names.empty()) return {};
    if (!at.Up()) return Moved(shown);
    if (::unlinkat(at.directory(), names.back().c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT && errno != ENOTEMPTY &&
        errno != EEXIST && errno != ENOTDIR)
      return FailInTree(shown, "remove a directory of it");
    names.pop_back();
  }
}

struct ToVisit {
  std::vector<std::string> names;
  size_t next = 0;
  size_t path_length = 0;  // of the directory's own path
};

// Copies [from, from + size) of one file to the same place of another.
Status CopyPiece(int from, int to, off64_t begin, off64_t end, const TreeLimits& limits, const std::string& shown) {
  for (off64_t in = begin, out = begin; in < end;) {
    if (limits.cancelled()) return Fail(ErrorCode::kUnavailable, "{}: cancelled", shown.substr(0, 300));
    const auto wanted = std::min<uint64_t>(kPieceOfFile, static_cast<uint64_t>(end - in));
    const ssize_t n = ::copy_file_range(from, &in, to, &out, wanted, 0);
    if (n == 0) return {};  // the file has become shorter
    if (n > 0 || errno == EINTR) continue;
    if (errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS) return FailInTree(shown, "copy");
    char buffer[1 << 16];
    const ssize_t read = ::pread(from, buffer, std::min<uint64_t>(sizeof buffer, wanted), in);
    if (read < 0 && errno != EINTR) return FailInTree(shown, "read");
    if (read == 0) return {};
    for (ssize_t done = 0; done < read;) {
      const ssize_t written = ::pwrite(to, buffer + done, static_cast<size_t>(read - done), out + done);
      if (written < 0 && errno != EINTR) return FailInTree(shown, "write");
      done += std::max<ssize_t>(written, 0);
    }
    in += std::max<ssize_t>(read, 0);
    out = in;
  }
  return {};
}

// Only what takes room on the disk is read and written; `budget` is what may.
Status CopyFileBelow(int from, int to, const std::string& shown, const TreeLimits& limits, uint64_t& budget) {
  struct stat status {};
  if (::fstat(from, &status) != 0) return FailInTree(shown, "examine");
  for (off64_t at = 0; at < status.st_size;) {
    off64_t data = ::lseek64(from, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;
    if (data < 0) data = at;  // a file system that knows no holes
    off64_t hole = ::lseek64(from, data, SEEK_HOLE);
    if (hole < 0 || hole > status.st_size) hole = status.st_size;
    if (hole <= data) break;
    const auto bytes = static_cast<uint64_t>(hole - data);
    if (bytes > budget)
      return Fail(ErrorCode::kResourceExhausted, "{}: with it there are more than {} bytes to copy",
                  shown.substr(0, 300), limits.bytes);
    budget -= bytes;
    HEADRACE_TRY(CopyPiece(from, to, data, hole, limits, shown));
    at = hole;
  }
  if (::ftruncate(to, status.st_size) != 0) return FailInTree(shown, "set the length of");
  return {};
}

}  // namespace

Status HeldDirectory::Remove(std::string_view name) const {
  const auto cut = name.rfind('/');
  if (cut != std::string_view::npos) {
    auto parent = OpenDirectory(name.substr(0, cut));
    if (!parent && parent.error().code() == ErrorCode::kNotFound) return {};
    if (!parent) return tl::unexpected<Error>(std::move(parent.error()));
    return parent->Remove(name.substr(cut + 1));
  }
  if (!IsSafeRelativePath(name))
    return Fail(ErrorCode::kInvalidArgument, "{}: '{}' is no name of a file in it", path_, name.substr(0, 300));
  const std::string last(name);
  while (true) {
    if (::unlinkat(directory_.get(), last.c_str(), 0) == 0 || errno == ENOENT) return {};
    if (errno != EISDIR) return FailInTree(path_ + "/" + last, "remove");
    Descriptor directory(::openat(directory_.get(), last.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) continue;  // something else by now
    if (!directory) return FailInTree(path_ + "/" + last, "open");
    HEADRACE_TRY(RemoveAllBelow(std::move(directory), path_ + "/" + last));
    if (::unlinkat(directory_.get(), last.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) return FailInTree(path_ + "/" + last, "remove");
  }
}

Status HeldDirectory::RemoveContents() const {
  auto top = DuplicateOf(directory_.get());
  if (!top) return FailInTree(path_, "open");
  return RemoveAllBelow(std::move(top), path_);
}

Status HeldDirectory::Walk(const std::function<Status(const FoundEntry&)>& visit, const TreeLimits& limits) const {
  auto top = DuplicateOf(directory_.get());
  if (!top) return FailInTree(path_, "open");
  Position at(std::move(top));
  std::string path;
  uint64_t seen = 0;  // names listed so far
  std::deque<ToVisit> levels;
  const auto enter = [&]() -> Status {
    const auto here = HeldDirectory(DuplicateOf(at.directory()), path_ + "/" + path.substr(0, 300));
    auto names = here.List(limits.entries - seen);
    if (!names && names.error().code() == ErrorCode::kResourceExhausted)  // whoever made them can make fewer
      return Fail(ErrorCode::kInvalidArgument, "{}: more than {} files and directories", path_, limits.entries);
    if (!names) return tl::unexpected<Error>(std::move(names.error()));
    seen += names->size();
    levels.push_back({std::move(*names), 0, path.size()});
    return {};
  };
  HEADRACE_TRY(enter());
  while (true) {
    if (limits.cancelled()) return Fail(ErrorCode::kUnavailable, "{}: cancelled", path_);
    ToVisit& level = levels.back();
    path.resize(level.path_length);
    if (level.next == level.names.size()) {
      levels.pop_back();
      if (levels.empty()) return {};
      if (!at.Up()) return Moved(path_);
      continue;
    }
    const std::string name = std::move(level.names[level.next++]);
    struct stat status {};
    if (::fstatat(at.directory(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;
      return FailInTree(path_ + "/" + path, "examine a file of");
    }
    if (!path.empty()) path += '/';
    path += name;
    HEADRACE_TRY(visit({path, name, at.depth(), status, at.directory()}));
    if (S_ISDIR(status.st_mode) && at.Down(name.c_str(), &status)) HEADRACE_TRY(enter());
  }
}

Status HeldDirectory::CopyTo(const HeldDirectory& target, const TreeLimits& limits) const {
  auto top = DuplicateOf(target.descriptor());
  if (!top) return FailInTree(target.path(), "open");
  Position to(std::move(top));
  uint64_t budget = limits.bytes;
  return Walk(
      [&](const FoundEntry& found) -> Status {
        while (to.depth() > found.depth)
          if (!to.Up()) return Moved(target.path());
        const std::string name(found.name);
        if (S_ISDIR(found.status.st_mode)) {
          if ((::mkdirat(to.directory(), name.c_str(), 0755) != 0 && errno != EEXIST) || !to.Down(name.c_str()))
            return FailInTree(target.path() + "/" + found.path, "make the directory");
          return {};
        }
        if (!S_ISREG(found.status.st_mode)) return {};
        const HeldDirectory from_here(DuplicateOf(found.directory), path_),
            to_here(DuplicateOf(to.directory()), target.path());
        auto from = from_here.OpenFile(name);
        if (!from && from.error().code() == ErrorCode::kNotFound) return {};
        if (!from) return tl::unexpected<Error>(std::move(from.error()));
        HEADRACE_ASSIGN(const auto copy, to_here.CreateFile(name, 0644 | (found.status.st_mode & 0111)));
        return CopyFileBelow(from->get(), copy.get(), found.path, limits, budget);
      },
      limits);
}

Status RemoveTree(const std::string& path) {
  const auto cut = path.rfind('/');
  auto parent = HeldDirectory::Open(cut == std::string::npos ? "." : cut == 0 ? "/" : path.substr(0, cut));
  if (!parent && parent.error().code() == ErrorCode::kNotFound) return {};
  if (!parent) return tl::unexpected<Error>(std::move(parent.error()));
  return parent->Remove(cut == std::string::npos ? path : path.substr(cut + 1));
}

}  // namespace headrace
