#include "jobs/archive/unpack.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jobs/archive/archive_source.h"
#include "jobs/archive/unpacked_tree.h"

namespace headrace::jobs {
namespace {

constexpr uint64_t kRatioFrom = uint64_t{64} << 20;
constexpr uint64_t kHeaders = 4096;  // of an entry in the archive, at most on the average
constexpr size_t kLongestName = 4096;

struct FreeRead {
  void operator()(archive* a) const { archive_read_free(a); }
};
using Reader = std::unique_ptr<archive, FreeRead>;

std::string Shown(std::string_view name) {
  std::string shown(name.substr(0, 200));
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  return shown;
}

// A name without empty and "." parts: "a/b" for "./a//b/". None when a part is "..".
std::optional<std::string> PlainName(std::string_view name) {
  std::string plain;
  for (size_t begin = 0; begin <= name.size();) {
    const auto end = std::min(name.find('/', begin), name.size());
    const auto part = name.substr(begin, end - begin);
    begin = end + 1;
    if (part == "..") return std::nullopt;
    if (part.empty() || part == ".") continue;
    if (!plain.empty()) plain += '/';
    plain += part;
  }
  return plain;
}

// Whether a link in the directory of `name` stays below the top. Its ".." parts must come first: behind a part that is
// a link itself they would lead elsewhere than they say.
bool StaysBelow(std::string_view target, std::string_view name) {
  auto depth = std::count(name.begin(), name.end(), '/');
  bool down = false;
  for (size_t begin = 0; begin <= target.size();) {
    const auto end = std::min(target.find('/', begin), target.size());
    const auto part = target.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    if (part != "..")
      down = true;
    else if (down || --depth < 0)
      return false;
  }
  return true;
}

// What an archive's entry is to become. The name is "" for the top directory itself.
struct Wanted {
  enum class Kind { kDirectory, kFile, kLink, kHardLink };
  Kind kind = Kind::kFile;
  std::string shown, name, target;
  mode_t mode = 0;
};

Result<Wanted> CheckEntry(archive_entry* entry) {
  const char* raw = archive_entry_pathname(entry);
  const std::string_view given = raw == nullptr ? "" : raw;
  const auto plain = PlainName(given);
  Wanted wanted;
  wanted.shown = Shown(given);
  if (!plain)
    return Fail(ErrorCode::kInvalidArgument, "the archive's entry '{}' leads out of the directory", wanted.shown);
  wanted.name = *plain;
  wanted.mode = static_cast<mode_t>((archive_entry_perm(entry) & 0755) | 0600);
  const bool directory = archive_entry_filetype(entry) == AE_IFDIR && archive_entry_hardlink(entry) == nullptr;
  if (wanted.name.empty() && directory) {  // "/" and "./": the top itself, as the SageMaker SDK and tar write it
    wanted.kind = Wanted::Kind::kDirectory;
    return wanted;
  }
  if (given.empty()) return Fail(ErrorCode::kInvalidArgument, "the archive has an entry without a name");
  if (given.starts_with('/'))
    return Fail(ErrorCode::kInvalidArgument, "the archive's entry '{}' has an absolute name", wanted.shown);
  if (given.size() > kLongestName || !IsSafeRelativePath(wanted.name))
    return Fail(ErrorCode::kInvalidArgument, "the archive's entry '{}' has a name that no file can have", wanted.shown);
  if (const char* link = archive_entry_hardlink(entry)) {
    const auto target = PlainName(link);
    if (!target || target->empty() || *link == '/')
      return Fail(ErrorCode::kInvalidArgument, "the archive's entry '{}' is a hard link that leads outside, to '{}'",
                  wanted.shown, Shown(link));
    wanted.kind = Wanted::Kind::kHardLink;
    wanted.target = *target;
    return wanted;
  }
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
      wanted.kind = Wanted::Kind::kFile;
      return wanted;
    case AE_IFDIR:
      wanted.kind = Wanted::Kind::kDirectory;
      return wanted;
    case AE_IFLNK: {
      const char* link = archive_entry_symlink(entry);
      wanted.target = link == nullptr ? "" : link;
      if (wanted.target.empty() || wanted.target.starts_with('/') || !StaysBelow(wanted.target, wanted.name))
        return Fail(ErrorCode::kInvalidArgument, "the archive's entry '{}' is a link that leads outside, to '{}'",
                    wanted.shown, Shown(wanted.target));
      wanted.kind = Wanted::Kind::kLink;
      return wanted;
    }
    default:
      return Fail(ErrorCode::kInvalidArgument,
                  "the archive's entry '{}' is a device, pipe or socket; wanted files, directories and links",
                  wanted.shown);
  }
}

class Unpacker {
 public:
  Unpacker(ArchiveSource& source, const HeldDirectory& root, const UnpackLimits& limits)
      : source_(source), tree_(root, limits.files), limits_(limits), reader_(archive_read_new()) {}

  Status Run() {
    HEADRACE_TRY(Open());
    while (true) {
      if (limits_.cancelled()) return Fail(ErrorCode::kUnavailable, "cancelled");
      archive_entry* entry = nullptr;
      const int next = archive_read_next_header(reader_.get(), &entry);
      if (next == ARCHIVE_EOF) return VerifyRest();
      if (next < ARCHIVE_WARN) return Broken();
      if (++entries_ > limits_.files)
        return Fail(ErrorCode::kResourceExhausted, "the archive has more than {} entries", limits_.files);
      HEADRACE_ASSIGN(const auto wanted, CheckEntry(entry));
      shown_ = wanted.shown;
      HEADRACE_TRY(Take(entry, wanted));
    }
  }

 private:
  Status Open() {
    archive* reader = reader_.get();
    archive_read_support_format_tar(reader);
    archive_read_support_format_empty(reader);
    archive_read_support_filter_bzip2(reader);
    archive_read_support_filter_xz(reader);
    archive_read_support_filter_zstd(reader);
    if (archive_read_open(reader, this, nullptr, &Unpacker::ReadSome, nullptr) != ARCHIVE_OK) return Broken();
    return {};
  }

  static la_ssize_t ReadSome(archive* reader, void* self, const void** data) {
    auto& unpacker = *static_cast<Unpacker*>(self);
    auto next = unpacker.limits_.cancelled() ? Result<std::string_view>(Fail(ErrorCode::kUnavailable, "cancelled"))
                                             : unpacker.source_.Next();
    if (!next) {
      unpacker.failure_ = std::move(next.error());
      archive_set_error(reader, EIO, "%s", unpacker.failure_->message().c_str());
      return ARCHIVE_FATAL;
    }
    *data = next->data();
    return static_cast<la_ssize_t>(next->size());
  }

  Status Take(archive_entry* entry, const Wanted& wanted) {
    Descriptor file;
    if (archive_entry_size(entry) > 0) HEADRACE_TRY(Fits(static_cast<uint64_t>(archive_entry_size(entry))));
    if (auto made = Make(wanted, file); !made) {
      const auto code = made.error().code();
      return Fail(code == ErrorCode::kResourceExhausted ? code : ErrorCode::kInvalidArgument,
                  "the archive's entry '{}' cannot be unpacked: {}", shown_, made.error().message());
    }
    HEADRACE_TRY(CopyData(file.get()));
    if (!file) return {};
    const struct timespec times[2] = {{0, UTIME_OMIT}, {archive_entry_mtime(entry), 0}};
    ::futimens(file.get(), times);
    const auto size = static_cast<off_t>(archive_entry_size(entry));
    if (::ftruncate(file.get(), size) != 0 || ::fchmod(file.get(), wanted.mode) != 0)
      return Fail(ErrorCode::kFailedPrecondition, "cannot unpack '{}': {}", shown_, std::strerror(errno));
    return {};
  }

  Status Make(const Wanted& wanted, Descriptor& file) {
    switch (wanted.kind) {
      case Wanted::Kind::kDirectory:
        return wanted.name.empty() ? Status() : tree_.MakeDirectory(wanted.name);
      case Wanted::Kind::kLink:
        return tree_.MakeLink(wanted.name, wanted.target);
      case Wanted::Kind::kHardLink:
        return tree_.MakeHardLink(wanted.name, wanted.target);
      case Wanted::Kind::kFile:
        break;
    }
    HEADRACE_ASSIGN(file, tree_.MakeFile(wanted.name));
    return {};
  }

  // What an entry that is no file has for data is read past, and counts like a file's.
  Status CopyData(int file) {
    const void* data = nullptr;
    size_t size = 0;
    int64_t offset = 0;
    int64_t end = 0;  // holes count as bytes: a sparse file must not pass the limits by
    while (true) {
      const int read = archive_read_data_block(reader_.get(), &data, &size, &offset);
      if (read == ARCHIVE_EOF) return {};
      if (read < ARCHIVE_WARN) return Broken();
      if (offset < end) return Fail(ErrorCode::kDataLoss, "the archive's blocks overlap");
      HEADRACE_TRY(Count(static_cast<uint64_t>(offset - end) + size));
      end = offset + static_cast<int64_t>(size);
      if (file >= 0) HEADRACE_TRY(Write(file, static_cast<const char*>(data), size, offset));
    }
  }

  Status Write(int file, const char* data, size_t size, int64_t offset) {
    while (size > 0) {
      const ssize_t n = ::pwrite(file, data, size, offset);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0)
        return Fail(errno == ENOSPC || errno == EDQUOT ? ErrorCode::kResourceExhausted : ErrorCode::kFailedPrecondition,
                    "cannot unpack '{}': {}", shown_, std::strerror(errno));
      data += n;
      size -= static_cast<size_t>(n);
      offset += n;
    }
    return {};
  }

  Status Fits(uint64_t bytes) const {
    if (bytes <= limits_.total_bytes - bytes_) return {};
    return Fail(ErrorCode::kResourceExhausted, "the archive unpacks to more than {} bytes, with its entry '{}'",
                limits_.total_bytes, shown_);
  }

  Status Count(uint64_t bytes) {
    HEADRACE_TRY(Fits(bytes));
    bytes_ += bytes;
    if (bytes_ > kRatioFrom && bytes_ / std::max<uint64_t>(source_.consumed(), 1) > limits_.ratio)
      return Fail(ErrorCode::kResourceExhausted,
                  "the archive unpacks to more than {} times its size, with its entry '{}'", limits_.ratio, shown_);
    return {};
  }

  // The end of the archive is not the end of its file: what follows may still say that the bytes before are wrong.
  Status VerifyRest() {
    while (true) {
      if (limits_.cancelled()) return Fail(ErrorCode::kUnavailable, "cancelled");
      HEADRACE_ASSIGN(const auto rest, source_.Next());
      if (rest.empty()) return {};
    }
  }

  tl::unexpected<Error> Broken() {
    if (failure_ && failure_->code() == ErrorCode::kResourceExhausted && !shown_.empty())
      return Fail(failure_->code(), "{}, with its entry '{}'", failure_->message(), shown_);
    if (failure_ && failure_->code() != ErrorCode::kDataLoss) return tl::unexpected<Error>(*failure_);
    const char* why = failure_ ? failure_->message().c_str() : archive_error_string(reader_.get());
    return Fail(ErrorCode::kDataLoss, "not a readable tar archive: {}", why == nullptr ? "unknown reason" : why);
  }

  ArchiveSource& source_;
  UnpackedTree tree_;
  const UnpackLimits& limits_;
  const Reader reader_;
  std::optional<Error> failure_;  // of the source
  std::string shown_;             // the entry at hand
  uint64_t entries_ = 0, bytes_ = 0;
};

}  // namespace

Status UnpackArchive(Descriptor archive, const HeldDirectory& directory, const UnpackLimits& limits) {
  const auto headers = limits.files * kHeaders;
  const auto most = limits.total_bytes > UINT64_MAX - headers ? UINT64_MAX : limits.total_bytes + headers;
  HEADRACE_ASSIGN(const auto source, ArchiveSource::Open(std::move(archive), most, limits.ratio));
  return Unpacker(*source, directory, limits).Run();
}

Status UnpackArchive(const std::string& archive, const std::string& directory, const UnpackLimits& limits) {
  HEADRACE_ASSIGN(auto file, OpenArchive(archive));
  HEADRACE_ASSIGN(const auto target, HeldDirectory::Make(directory));
  return UnpackArchive(std::move(file), target, limits);
}

Result<Descriptor> OpenArchive(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file)
    return Fail(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kFailedPrecondition, "{}: cannot open: {}", path,
                std::strerror(errno));
  return file;
}

}  // namespace headrace::jobs
