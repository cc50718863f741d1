#include "jobs/archive/unpack.h"

#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"

namespace headrace::jobs {
namespace {

constexpr uint64_t kRatioFrom = uint64_t{64} << 20;

struct FreeRead {
  void operator()(archive* a) const { archive_read_free(a); }
};
struct FreeWrite {
  void operator()(archive* a) const { archive_write_free(a); }
};
using Reader = std::unique_ptr<archive, FreeRead>;
using Writer = std::unique_ptr<archive, FreeWrite>;

std::string Shown(std::string_view name) {
  std::string shown(name.substr(0, 200));
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  return shown;
}

// The parts of a path without empty and "." ones. `depth` becomes how deep it leads below where it starts; false when
// it ever leads above.
bool StaysBelow(std::string_view path, int start_depth) {
  int depth = start_depth;
  for (size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto part = path.substr(begin, end - begin);
    begin = end + 1;
    if (part == "..") {
      if (--depth < 0) return false;
    } else if (!part.empty() && part != ".") {
      ++depth;
    }
  }
  return true;
}

int DirectoryDepth(std::string_view name) {
  int depth = 0;
  for (size_t begin = 0; begin < name.size();) {
    const auto end = name.find('/', begin);
    if (end == std::string_view::npos) break;
    const auto part = name.substr(begin, end - begin);
    if (!part.empty() && part != ".") ++depth;
    begin = end + 1;
  }
  return depth;
}

bool HasParentPart(std::string_view path) {
  return path == ".." || path.starts_with("../") || path.ends_with("/..") ||
         path.find("/../") != std::string_view::npos;
}

Status CheckEntry(archive_entry* entry) {
  const char* raw = archive_entry_pathname(entry);
  if (raw == nullptr || *raw == '\0')
    return Fail(ErrorCode::kInvalidArgument, "the archive has an entry without a name");
  const std::string_view name = raw;
  if (name.starts_with('/'))
    return Fail(ErrorCode::kInvalidArgument, "the archive's entry '{}' has an absolute name", Shown(name));
  if (HasParentPart(name))
    return Fail(ErrorCode::kInvalidArgument, "the archive's entry '{}' leads out of the directory", Shown(name));
  if (const char* target = archive_entry_hardlink(entry)) {
    const std::string_view link = target;
    if (link.starts_with('/') || HasParentPart(link))
      return Fail(ErrorCode::kInvalidArgument, "the archive's entry '{}' is a hard link that leads outside, to '{}'",
                  Shown(name), Shown(link));
    return {};
  }
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
    case AE_IFDIR:
      return {};
    case AE_IFLNK: {
      const char* target = archive_entry_symlink(entry);
      const std::string_view link = target == nullptr ? "" : target;
      if (link.empty() || link.starts_with('/') || !StaysBelow(link, DirectoryDepth(name)))
        return Fail(ErrorCode::kInvalidArgument, "the archive's entry '{}' is a link that leads outside, to '{}'",
                    Shown(name), Shown(link));
      return {};
    }
    default:
      return Fail(ErrorCode::kInvalidArgument,
                  "the archive's entry '{}' is a device, pipe or socket; wanted files, directories and links",
                  Shown(name));
  }
}

// Rewrites names to lie below `directory`, and leaves only what the owner may do.
void PlaceBelow(archive_entry* entry, const std::string& directory) {
  archive_entry_set_pathname(entry, (directory + "/" + archive_entry_pathname(entry)).c_str());
  if (const char* link = archive_entry_hardlink(entry))
    archive_entry_set_hardlink(entry, (directory + "/" + link).c_str());
  const bool is_directory = archive_entry_filetype(entry) == AE_IFDIR;
  archive_entry_set_perm(entry, ((archive_entry_perm(entry) & 0755) | 0600 | (is_directory ? 0700 : 0)));
}

tl::unexpected<Error> NotAnArchive(archive* reader) {
  const char* why = archive_error_string(reader);
  return Fail(ErrorCode::kDataLoss, "not a readable tar archive: {}", why == nullptr ? "unknown reason" : why);
}

class Budget {
 public:
  explicit Budget(const UnpackLimits& limits) : limits_(limits) {}

  Status CountFile() {
    if (++files_ > limits_.files)
      return Fail(ErrorCode::kResourceExhausted, "the archive has more than {} entries", limits_.files);
    return {};
  }
  Status CountBytes(uint64_t bytes, archive* reader, std::string_view name) {
    bytes_ += bytes;
    if (bytes_ > limits_.total_bytes)
      return Fail(ErrorCode::kResourceExhausted, "the archive unpacks to more than {} bytes, with its entry '{}'",
                  limits_.total_bytes, Shown(name));
    const auto read = static_cast<uint64_t>(std::max<int64_t>(archive_filter_bytes(reader, -1), 1));
    if (bytes_ > kRatioFrom && bytes_ / read > limits_.ratio)
      return Fail(ErrorCode::kResourceExhausted,
                  "the archive unpacks to more than {} times its size, with its entry '{}'", limits_.ratio,
                  Shown(name));
    return {};
  }

 private:
  const UnpackLimits& limits_;
  uint64_t files_ = 0, bytes_ = 0;
};

Status CopyData(archive* reader, archive* writer, Budget& budget, std::string_view name) {
  const void* data = nullptr;
  size_t size = 0;
  int64_t offset = 0;
  int64_t end = 0;  // holes count as bytes: a sparse file must not pass the budget by
  while (true) {
    const int read = archive_read_data_block(reader, &data, &size, &offset);
    if (read == ARCHIVE_EOF) return {};
    if (read < ARCHIVE_WARN) return NotAnArchive(reader);
    if (offset < end) return Fail(ErrorCode::kDataLoss, "the archive's blocks overlap");
    HEADRACE_TRY(budget.CountBytes(static_cast<uint64_t>(offset - end) + size, reader, name));
    end = offset + static_cast<int64_t>(size);
    if (archive_write_data_block(writer, data, size, offset) < ARCHIVE_WARN)
      return Fail(ErrorCode::kFailedPrecondition, "cannot unpack: {}", archive_error_string(writer));
  }
}

Reader OpenReader(const std::string& path, int& opened) {
  Reader reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  archive_read_support_format_empty(reader.get());
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_bzip2(reader.get());
  archive_read_support_filter_xz(reader.get());
  archive_read_support_filter_zstd(reader.get());
  opened = archive_read_open_filename(reader.get(), path.c_str(), 1 << 16);
  return reader;
}

}  // namespace

Status UnpackArchive(const std::string& path, const std::string& target, const UnpackLimits& limits) {
  HEADRACE_TRY(MakeDirectories(target));
  // Links above it are the platform's own and may be followed.
  const std::string directory = std::filesystem::canonical(target);
  int opened = ARCHIVE_OK;
  const Reader reader = OpenReader(path, opened);
  if (opened != ARCHIVE_OK) return NotAnArchive(reader.get());
  const Writer writer(archive_write_disk_new());
  // Links that earlier entries made are never followed (SECURE_SYMLINKS), and nothing special is restored.
  archive_write_disk_set_options(writer.get(), ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
                                                   ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
                                                   ARCHIVE_EXTRACT_UNLINK);
  Budget budget(limits);
  while (true) {
    archive_entry* entry = nullptr;
    const int next = archive_read_next_header(reader.get(), &entry);
    if (next == ARCHIVE_EOF) break;
    if (next < ARCHIVE_WARN) return NotAnArchive(reader.get());
    HEADRACE_TRY(budget.CountFile());
    HEADRACE_TRY(CheckEntry(entry));
    const std::string name = archive_entry_pathname(entry);
    PlaceBelow(entry, directory);
    if (archive_write_header(writer.get(), entry) < ARCHIVE_WARN)
      return Fail(ErrorCode::kInvalidArgument, "the archive's entry '{}' cannot be unpacked: {}", Shown(name),
                  archive_error_string(writer.get()));
    HEADRACE_TRY(CopyData(reader.get(), writer.get(), budget, name));
    if (archive_write_finish_entry(writer.get()) < ARCHIVE_WARN)
      return Fail(ErrorCode::kFailedPrecondition, "cannot unpack '{}': {}", Shown(name),
                  archive_error_string(writer.get()));
  }
  if (archive_write_close(writer.get()) < ARCHIVE_WARN)
    return Fail(ErrorCode::kFailedPrecondition, "cannot unpack: {}", archive_error_string(writer.get()));
  return {};
}

}  // namespace headrace::jobs
