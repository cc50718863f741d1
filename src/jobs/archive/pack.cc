#include "jobs/archive/pack.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/file.h"
#include "jobs/archive/archive_output.h"
#include "jobs/archive/zeros.h"

namespace headrace::jobs {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;
constexpr off_t kLongestFile = off_t{1} << 50;
constexpr size_t kMostExtents = 10'000;  // of a file with holes; the rest of it is read as it is
constexpr uint64_t kHeaderBytes = 1024;  // of an entry in the archive, its name aside

struct FreeArchive {
  void operator()(archive* a) const { archive_write_free(a); }
};
struct FreeEntry {
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};
using Writer = std::unique_ptr<archive, FreeArchive>;
using Entry = std::unique_ptr<archive_entry, FreeEntry>;

struct Extent {
  off_t begin, end;
};

// Where a file has data. All of it in one piece where the file system knows no holes; never nothing of a file that has
// a length, because libarchive then writes no map of its holes.
std::vector<Extent> ExtentsOf(int file, off_t size) {
  std::vector<Extent> extents;
  for (off_t at = 0; at < size;) {
    if (extents.size() == kMostExtents) {
      extents.back().end = size;
      break;
    }
    const off_t data = ::lseek(file, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;
    const off_t hole = data < 0 ? -1 : ::lseek(file, data, SEEK_HOLE);
    if (hole <= data) return {{0, size}};
    if (data >= size) break;
    extents.push_back({data, std::min(hole, size)});
    at = hole;
  }
  if (extents.empty() && size > 0) extents.push_back({0, std::min<off_t>(size, 512)});
  return extents;
}

class Packer {
 public:
  Packer(archive* writer, const TreeLimits& limits) : writer_(writer), limits_(limits), buffer_(kBufferBytes) {}

  Status Add(const FoundEntry& found) {
    HEADRACE_TRY(Count(found.path.size() + kHeaderBytes));
    struct stat status = found.status;
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) && !S_ISLNK(status.st_mode)) return {};
    if (S_ISREG(status.st_mode) && IsUnfinishedFile(found.path)) return {};
    const std::string name(found.name);
    const Entry entry(archive_entry_new());
    Descriptor file;
    std::vector<Extent> extents;
    if (S_ISREG(status.st_mode)) {
      file = Descriptor(::openat(found.directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
      if (!file && errno == ENOENT) return {};
      if (!file || ::fstat(file.get(), &status) != 0)
        return Fail(ErrorCode::kInvalidArgument, "cannot open: {}", std::strerror(errno));
      if (!S_ISREG(status.st_mode)) return {};  // something else by now
      if (status.st_size > kLongestFile)
        return Fail(ErrorCode::kInvalidArgument, "{} bytes long: longer than any file that can be packed",
                    status.st_size);
      archive_entry_set_size(entry.get(), status.st_size);
      extents = ExtentsOf(file.get(), status.st_size);
      SetExtents(entry.get(), extents, status.st_size);
    }
    archive_entry_set_pathname(entry.get(), found.path.c_str());
    archive_entry_set_mode(entry.get(), status.st_mode);
    archive_entry_set_mtime(entry.get(), status.st_mtim.tv_sec, 0);
    if (S_ISLNK(status.st_mode)) {
      HEADRACE_ASSIGN(const auto target, TargetOf(found.directory, name));
      archive_entry_set_symlink(entry.get(), target.c_str());
    }
    if (archive_write_header(writer_, entry.get()) < ARCHIVE_WARN)
      return Fail(ErrorCode::kFailedPrecondition, "{}", archive_error_string(writer_));
    off_t position = 0;
    for (const auto& extent : extents) {
      HEADRACE_TRY(WriteHole(extent.begin - position));
      HEADRACE_TRY(WriteData(file.get(), extent));
      position = extent.end;
    }
    return {};
  }

 private:
  Status Count(uint64_t bytes) {
    bytes_ += bytes;
    if (bytes_ > limits_.bytes)
      return Fail(ErrorCode::kInvalidArgument, "with it there are more than {} bytes to pack (VolumeSizeInGB)",
                  limits_.bytes);
    return {};
  }

  static void SetExtents(archive_entry* entry, const std::vector<Extent>& extents, off_t size) {
    const bool whole = size == 0 || (extents.size() == 1 && extents[0].begin == 0 && extents[0].end == size);
    if (whole) return;
    for (const auto& extent : extents) archive_entry_sparse_add_entry(entry, extent.begin, extent.end - extent.begin);
  }

  static Result<std::string> TargetOf(int directory, const std::string& name) {
    std::string target(size_t{1} << 12, '\0');
    const ssize_t n = ::readlinkat(directory, name.c_str(), target.data(), target.size());
    if (n < 0) return Fail(ErrorCode::kFailedPrecondition, "cannot read the link: {}", std::strerror(errno));
    target.resize(static_cast<size_t>(n));
    return target;
  }

  // The archive holds nothing of it, but its length has to be gone through.
  Status WriteHole(off_t size) {
    while (size > 0) {
      if (limits_.cancelled()) return Fail(ErrorCode::kUnavailable, "cancelled");
      if (zeros_.get() == nullptr) return Fail(ErrorCode::kResourceExhausted, "no memory for a file with holes");
      const auto n =
          archive_write_data(writer_, zeros_.get(), std::min<size_t>(Zeros::kBytes, static_cast<size_t>(size)));
      if (n <= 0) return Fail(ErrorCode::kResourceExhausted, "{}", archive_error_string(writer_));
      size -= n;
    }
    return {};
  }

  // Exactly the extent's bytes go into the archive, whatever happens to the file meanwhile.
  Status WriteData(int file, const Extent& extent) {
    HEADRACE_TRY(Count(static_cast<uint64_t>(extent.end - extent.begin)));
    for (off_t at = extent.begin; at < extent.end;) {
      if (limits_.cancelled()) return Fail(ErrorCode::kUnavailable, "cancelled");
      const ssize_t n =
          ::pread(file, buffer_.data(), std::min<size_t>(buffer_.size(), static_cast<size_t>(extent.end - at)), at);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Fail(ErrorCode::kFailedPrecondition, "cannot read: {}", std::strerror(errno));
      if (n == 0) return Fail(ErrorCode::kDataLoss, "the file shrank while it was packed");
      if (archive_write_data(writer_, buffer_.data(), static_cast<size_t>(n)) < 0)
        return Fail(ErrorCode::kResourceExhausted, "{}", archive_error_string(writer_));
      at += n;
    }
    return {};
  }

  archive* writer_;
  const TreeLimits& limits_;
  std::vector<char> buffer_;
  const Zeros zeros_;
  uint64_t bytes_ = 0;
};

Status WriteArchive(const HeldDirectory& directory, const std::string& path, const TreeLimits& limits) {
  HEADRACE_ASSIGN(ArchiveOutput output, ArchiveOutput::Create(path));
  const Writer writer(archive_write_new());
  HEADRACE_TRY(output.OpenFor(writer.get(), path));
  Packer packer(writer.get(), limits);
  const auto walked = directory.Walk(
      [&](const FoundEntry& found) -> Status {
        if (auto added = packer.Add(found); !added)
          return Fail(added.error().code(), "{}: {}", found.path.substr(0, 300), added.error().message());
        return {};
      },
      limits);
  if (!walked) {
    output.GiveUp();  // else the rest of the entry at hand would be filled with zeros, however long
    return walked;
  }
  if (archive_write_close(writer.get()) != ARCHIVE_OK)
    return Fail(ErrorCode::kResourceExhausted, "{}: {}", path, archive_error_string(writer.get()));
  return {};
}

}  // namespace

Status PackDirectory(const HeldDirectory& directory, const std::string& path, const TreeLimits& limits) {
  const std::string unfinished = path + ".part";
  if (auto written = WriteArchive(directory, unfinished, limits); !written) {
    ::unlink(unfinished.c_str());
    return written;
  }
  if (::rename(unfinished.c_str(), path.c_str()) != 0)
    return Fail(ErrorCode::kFailedPrecondition, "{}: cannot rename into place: {}", path, std::strerror(errno));
  return {};
}

Status PackDirectory(const std::string& directory, const std::string& archive) {
  HEADRACE_ASSIGN(const auto held, HeldDirectory::Open(directory));
  return PackDirectory(held, archive);
}

}  // namespace headrace::jobs
