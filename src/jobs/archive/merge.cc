#include "jobs/archive/merge.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include "jobs/archive/archive_output.h"
#include "jobs/archive/zeros.h"
#include "jobs/runtime/content_hash.h"

namespace headrace::jobs {
namespace {

constexpr int kBytesOfARead = 1 << 16;

struct FreeMergeReader {
  void operator()(archive* a) const { archive_read_free(a); }
};
struct FreeMergeWriter {
  void operator()(archive* a) const { archive_write_free(a); }
};
using MergeReader = std::unique_ptr<archive, FreeMergeReader>;
using MergeWriter = std::unique_ptr<archive, FreeMergeWriter>;

tl::unexpected<Error> Unreadable(const std::string& path, archive* reader) {
  return Fail(ErrorCode::kDataLoss, "{}: {}", path, archive_error_string(reader));
}

EntryKind KindOf(archive_entry* entry) {
  switch (archive_entry_filetype(entry)) {
    case AE_IFDIR:
      return EntryKind::kDirectory;
    case AE_IFLNK:
      return EntryKind::kLink;
    default:
      return EntryKind::kFile;
  }
}

std::string TargetOf(archive_entry* link) {
  const char* target = archive_entry_symlink(link);
  return target == nullptr ? "" : target;
}

tl::unexpected<Error> Cancelled(const std::string& path) {
  return Fail(ErrorCode::kUnavailable, "{}: cancelled", path);
}

class Merge {
 public:
  Merge(archive* writer, const std::function<bool()>& cancelled) : writer_(writer), cancelled_(cancelled) {}

  Status Add(const std::string& path, size_t number) {
    const MergeReader reader(archive_read_new());
    archive_read_support_filter_gzip(reader.get());
    archive_read_support_format_tar(reader.get());
    if (archive_read_open_filename(reader.get(), path.c_str(), kBytesOfARead) != ARCHIVE_OK)
      return Unreadable(path, reader.get());
    archive_entry* entry = nullptr;
    while (true) {
      const int found = archive_read_next_header(reader.get(), &entry);
      if (found == ARCHIVE_EOF) return {};
      if (found < ARCHIVE_WARN) return Unreadable(path, reader.get());
      HEADRACE_TRY(AddEntry(path, number, reader.get(), entry));
    }
  }

  std::vector<LeftOut> TakeLeftOut() { return names_.TakeLeftOut(); }

 private:
  Status AddEntry(const std::string& path, size_t number, archive* reader, archive_entry* entry) {
    const std::string name = archive_entry_pathname(entry);
    const auto kind = KindOf(entry);
    const auto verdict = names_.Add(name, kind, number);
    if (verdict == MergedNames::Verdict::kLeftOut) return {};
    const bool is_new = verdict == MergedNames::Verdict::kTaken;
    if (is_new && archive_write_header(writer_, entry) < ARCHIVE_WARN)
      return Fail(ErrorCode::kFailedPrecondition, "{}", archive_error_string(writer_));
    if (kind == EntryKind::kDirectory) return {};
    std::string content = TargetOf(entry);
    if (kind == EntryKind::kFile) {
      HEADRACE_ASSIGN(content, ReadContent(path, reader, archive_entry_size(entry), is_new));
    }
    if (is_new)
      contents_[name] = std::move(content);
    else if (contents_[name] != content)
      names_.Differs(name, number);
    return {};
  }

  // What tells it from others; into the merged archive, too, when that takes it.
  Result<std::string> ReadContent(const std::string& path, archive* reader, int64_t size, bool take) {
    ContentHash hash;
    int64_t position = 0;
    while (true) {
      if (cancelled_()) return Cancelled(path);
      const void* bytes = nullptr;
      size_t n = 0;
      la_int64_t offset = 0;
      const int read = archive_read_data_block(reader, &bytes, &n, &offset);
      if (read < ARCHIVE_WARN) return Unreadable(path, reader);
      const int64_t hole = (read == ARCHIVE_EOF ? size : offset) - position;
      if (hole > 0) hash.AddField(fmt::format("hole of {} bytes", hole));
      if (take) HEADRACE_TRY(WriteHole(path, hole));
      if (read == ARCHIVE_EOF) return hash.Hex();
      hash.AddBytes({static_cast<const char*>(bytes), n});
      if (take && n > 0 && archive_write_data(writer_, bytes, n) < 0)
        return Fail(ErrorCode::kResourceExhausted, "{}", archive_error_string(writer_));
      position = offset + static_cast<int64_t>(n);
    }
  }

  Status WriteHole(const std::string& path, int64_t size) {
    if (zeros_.get() == nullptr) return Fail(ErrorCode::kResourceExhausted, "no memory for a file with holes");
    while (size > 0) {
      if (cancelled_()) return Cancelled(path);
      const auto n =
          archive_write_data(writer_, zeros_.get(), std::min<size_t>(Zeros::kBytes, static_cast<size_t>(size)));
      if (n <= 0) return Fail(ErrorCode::kResourceExhausted, "{}", archive_error_string(writer_));
      size -= n;
    }
    return {};
  }

  archive* writer_;
  const std::function<bool()>& cancelled_;
  const Zeros zeros_;
  MergedNames names_;
  std::map<std::string, std::string> contents_;  // of the files and links taken, by their names
};

Result<std::vector<LeftOut>> WriteMerged(const std::vector<std::string>& archives, const std::string& path,
                                         const std::function<bool()>& cancelled) {
  HEADRACE_ASSIGN(ArchiveOutput output, ArchiveOutput::Create(path));
  const MergeWriter writer(archive_write_new());
  HEADRACE_TRY(output.OpenFor(writer.get(), path));
  Merge merge(writer.get(), cancelled);
  for (size_t i = 0; i < archives.size(); ++i)
    if (auto added = merge.Add(archives[i], i); !added) {
      output.GiveUp();
      return tl::unexpected<Error>(added.error());
    }
  if (archive_write_close(writer.get()) != ARCHIVE_OK)
    return Fail(ErrorCode::kResourceExhausted, "{}: {}", path, archive_error_string(writer.get()));
  return merge.TakeLeftOut();
}

}  // namespace

Result<std::vector<LeftOut>> MergeArchives(const std::vector<std::string>& archives, const std::string& path,
                                           const std::function<bool()>& cancelled) {
  const std::string unfinished = path + ".part";
  auto left_out = WriteMerged(archives, unfinished, cancelled);
  if (!left_out) {
    ::unlink(unfinished.c_str());
    return left_out;
  }
  if (::rename(unfinished.c_str(), path.c_str()) != 0)
    return Fail(ErrorCode::kFailedPrecondition, "{}: cannot rename into place: {}", path, std::strerror(errno));
  return left_out;
}

}  // namespace headrace::jobs
