#include "jobs/staging/stage_files.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/descriptor.h"
#include "base/file.h"

namespace headrace::jobs {
namespace {

constexpr size_t kPiece = size_t{64} << 20;

tl::unexpected<Error> FailErrno(const std::string& path, const char* what) {
  const int error = errno;
  return Fail(error == ENOSPC || error == EDQUOT ? ErrorCode::kResourceExhausted
              : error == ENOENT                  ? ErrorCode::kNotFound
                                                 : ErrorCode::kFailedPrecondition,
              "{}: cannot {}: {}", path, what, std::strerror(error));
}

// Where copy_file_range does not work: between some file systems.
Status CopyThroughMemory(int from, int to, uint64_t size, const std::string& path,
                         const std::function<bool()>& cancelled) {
  std::vector<char> buffer(size_t{1} << 20);
  for (uint64_t done = 0; done < size;) {
    if (cancelled()) return Fail(ErrorCode::kUnavailable, "{}: cancelled", path);
    const ssize_t n = ::pread(from, buffer.data(), buffer.size(), static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailErrno(path, "read");
    if (n == 0) break;
    for (ssize_t written = 0; written < n;) {
      const ssize_t w =
          ::pwrite(to, buffer.data() + written, static_cast<size_t>(n - written), static_cast<off_t>(done) + written);
      if (w < 0 && errno == EINTR) continue;
      if (w < 0) return FailErrno(path, "write");
      written += w;
    }
    done += static_cast<uint64_t>(n);
  }
  return {};
}

Status CopyBytes(int from, int to, uint64_t size, const std::string& path, const std::function<bool()>& cancelled) {
  if (::ioctl(to, FICLONE, from) == 0) return {};
  for (uint64_t done = 0; done < size;) {
    if (cancelled()) return Fail(ErrorCode::kUnavailable, "{}: cancelled", path);
    auto in = static_cast<off64_t>(done), out = in;
    const ssize_t n = ::copy_file_range(from, &in, to, &out, std::min<uint64_t>(kPiece, size - done), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && done == 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS))
      return CopyThroughMemory(from, to, size, path, cancelled);
    if (n < 0) return FailErrno(path, "copy");
    if (n == 0) break;
    done += static_cast<uint64_t>(n);
  }
  return {};
}

bool IsComplete(const HeldDirectory& directory, const std::string& name, uint64_t size) {
  const auto status = directory.Examine(name);
  return status && S_ISREG(status->st_mode) && static_cast<uint64_t>(status->st_size) == size;
}

Status MoveIntoPlace(const std::string& unfinished, const HeldDirectory& directory, const InputObject& object) {
  HEADRACE_ASSIGN(const auto place, directory.PlaceOf(object.name));
  if (::renameat(AT_FDCWD, unfinished.c_str(), place.directory.get(), place.name.c_str()) == 0) return {};
  const bool clash = errno == EISDIR || errno == ENOTEMPTY;
  if (clash)
    return Fail(ErrorCode::kInvalidArgument, "the object {} would be a file where other objects need a directory",
                object.key);
  return FailErrno(object.name, "rename into place");
}

// A file appears under its name only when all its bytes are there.
Status StageOne(const InputObject& object, const HeldDirectory& directory, const std::string& unfinished,
                const std::function<bool()>& cancelled) {
  const Descriptor from(::open(object.blob.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from) {
    if (errno == ENOENT)
      return Fail(ErrorCode::kNotFound, "the object {} was deleted or replaced while it was read", object.key);
    return FailErrno(object.blob, "open");
  }
  struct stat status {};
  if (::fstat(from.get(), &status) != 0) return FailErrno(object.blob, "examine");
  if (static_cast<uint64_t>(status.st_size) != object.size)
    return Fail(ErrorCode::kDataLoss, "the object {} has {} bytes, wanted {}", object.key, status.st_size, object.size);
  const Descriptor to(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!to) return FailErrno(unfinished, "create");
  HEADRACE_TRY(CopyBytes(from.get(), to.get(), object.size, object.name, cancelled));
  if (::fstat(to.get(), &status) != 0 || static_cast<uint64_t>(status.st_size) != object.size)
    return Fail(ErrorCode::kDataLoss, "{}: {} bytes were copied, wanted {}", object.name, status.st_size, object.size);
  return MoveIntoPlace(unfinished, directory, object);
}

Status MakeParents(const std::vector<InputObject>& objects, const HeldDirectory& directory) {
  std::string_view last;
  for (const auto& object : objects) {
    if (!IsSafeRelativePath(object.name))
      return Fail(ErrorCode::kInvalidArgument, "the object {} cannot be a file: its name below the prefix is '{}'",
                  object.key, object.name);
    const auto cut = object.name.rfind('/');
    if (cut == std::string::npos) continue;
    const auto parent = std::string_view(object.name).substr(0, cut);
    if (parent == last) continue;
    if (auto made = directory.MakeDirectories(parent); !made)
      return Fail(made.error().code(), "the object {} needs a directory: {}", object.key, made.error().message());
    last = parent;
  }
  return {};
}

}  // namespace

Result<StagedTotals> StageFiles(const std::vector<InputObject>& objects, const HeldDirectory& directory,
                                const StagingOptions& options) {
  HEADRACE_TRY(MakeParents(objects, directory));
  HEADRACE_TRY(MakeDirectories(options.scratch));
  std::atomic<size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  StagedTotals totals;
  std::optional<Error> failure;

  const auto cancelled = [&] { return failed.load() || options.cancelled(); };
  const auto work = [&] {
    for (size_t i; (i = next.fetch_add(1)) < objects.size();) {
      const bool kept = IsComplete(directory, objects[i].name, objects[i].size);
      Status staged = kept ? Status{}
                      : options.cancelled()
                          ? Status(Fail(ErrorCode::kUnavailable, "{}: cancelled", objects[i].name))
                          : StageOne(objects[i], directory, fmt::format("{}/{}", options.scratch, i), cancelled);
      const std::lock_guard lock(mutex);
      if (!staged) {
        if (!failure) failure = std::move(staged.error());
        failed = true;
        return;
      }
      if (failed) return;
      totals.files += 1;
      totals.bytes += objects[i].size;
      totals.kept += kept ? 1 : 0;
    }
  };
  const auto threads = std::min<size_t>(static_cast<size_t>(std::max(options.threads, 1)), objects.size());
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (auto& other : others) other.join();
  if (failure) return tl::unexpected<Error>(std::move(*failure));
  return totals;
}

}  // namespace headrace::jobs
