#include "jobs/archive/pack.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/file.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

struct FreeArchive {
  void operator()(archive* a) const { archive_write_free(a); }
};
struct FreeEntry {
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};
using Writer = std::unique_ptr<archive, FreeArchive>;
using Entry = std::unique_ptr<archive_entry, FreeEntry>;

// Paths below `directory`, relative and sorted; links to directories are not entered.
Result<std::vector<std::string>> EntriesBelow(const std::string& directory) {
  std::vector<std::string> entries;
  std::error_code error;
  fs::recursive_directory_iterator at(directory, error), end;
  for (; !error && at != end; at.increment(error)) entries.push_back(at->path().lexically_relative(directory).string());
  if (error) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot list: {}", directory, error.message());
  std::sort(entries.begin(), entries.end());
  return entries;
}

// Exactly `size` bytes of the file go into the archive, whatever happens to the file meanwhile.
Status WriteData(archive* writer, int file, int64_t size, std::vector<char>& buffer) {
  while (size > 0) {
    ssize_t n = ::read(file, buffer.data(), std::min<size_t>(buffer.size(), static_cast<size_t>(size)));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail(ErrorCode::kFailedPrecondition, "cannot read: {}", std::strerror(errno));
    if (n == 0) return Fail(ErrorCode::kDataLoss, "the file shrank while it was packed");
    if (archive_write_data(writer, buffer.data(), static_cast<size_t>(n)) < 0)
      return Fail(ErrorCode::kResourceExhausted, "{}", archive_error_string(writer));
    size -= n;
  }
  return {};
}

Status AddEntry(archive* writer, const std::string& directory, const std::string& name, std::vector<char>& buffer) {
  const auto path = directory + "/" + name;
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};  // gone meanwhile
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) && !S_ISLNK(status.st_mode)) return {};
  Descriptor file;
  if (S_ISREG(status.st_mode)) {
    file = Descriptor(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file || ::fstat(file.get(), &status) != 0)
      return Fail(ErrorCode::kFailedPrecondition, "cannot open: {}", std::strerror(errno));
  }
  const Entry entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_mode(entry.get(), status.st_mode);
  archive_entry_set_mtime(entry.get(), status.st_mtim.tv_sec, 0);
  if (S_ISREG(status.st_mode)) archive_entry_set_size(entry.get(), status.st_size);
  if (S_ISLNK(status.st_mode)) archive_entry_set_symlink(entry.get(), fs::read_symlink(path).c_str());
  if (archive_write_header(writer, entry.get()) < ARCHIVE_WARN)
    return Fail(ErrorCode::kFailedPrecondition, "{}", archive_error_string(writer));
  return file ? WriteData(writer, file.get(), status.st_size, buffer) : Status{};
}

}  // namespace

bool HasEntries(const std::string& directory) {
  std::error_code error;
  return fs::is_directory(directory, error) && !fs::is_empty(directory, error);
}

Status PackDirectory(const std::string& directory, const std::string& path) {
  HEADRACE_ASSIGN(const auto entries, EntriesBelow(directory));
  const std::string unfinished = path + ".part";
  {
    const Writer writer(archive_write_new());
    archive_write_set_format_pax_restricted(writer.get());
    archive_write_add_filter_gzip(writer.get());
    archive_write_set_filter_option(writer.get(), "gzip", "compression-level", "1");  // weights hardly shrink further
    if (archive_write_open_filename(writer.get(), unfinished.c_str()) != ARCHIVE_OK)
      return Fail(ErrorCode::kFailedPrecondition, "{}: {}", unfinished, archive_error_string(writer.get()));
    std::vector<char> buffer(size_t{1} << 20);
    for (const auto& name : entries)
      if (auto added = AddEntry(writer.get(), directory, name, buffer); !added)
        return Fail(added.error().code(), "{}: {}", name, added.error().message());
    if (archive_write_close(writer.get()) != ARCHIVE_OK)
      return Fail(ErrorCode::kResourceExhausted, "{}: {}", unfinished, archive_error_string(writer.get()));
  }
  if (::rename(unfinished.c_str(), path.c_str()) != 0)
    return Fail(ErrorCode::kFailedPrecondition, "{}: cannot rename into place: {}", path, std::strerror(errno));
  return {};
}

Status CopyTree(const std::string& directory, const std::string& target) {
  HEADRACE_ASSIGN(const auto entries, EntriesBelow(directory));
  HEADRACE_TRY(MakeDirectories(target));
  for (const auto& name : entries) {
    std::error_code error;
    const fs::path from = directory + "/" + name, to = target + "/" + name;
    if (fs::is_symlink(from)) continue;
    if (fs::is_directory(from)) HEADRACE_TRY(MakeDirectories(to));
    if (fs::is_regular_file(from)) fs::copy_file(from, to, error);
    if (error) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot copy: {}", name, error.message());
  }
  return {};
}

}  // namespace headrace::jobs
