#include "jobs/archive/merge.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <set>

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include "jobs/archive/archive_output.h"
#include "jobs/archive/zeros.h"

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

class Merge {
 public:
  explicit Merge(archive* writer) : writer_(writer) {}

  Status Add(const std::string& path) {
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
      const std::string name = archive_entry_pathname(entry);
      if (!names_.insert(name).second) {
        if (archive_entry_filetype(entry) != AE_IFDIR) again_.push_back(name);
        continue;
      }
      HEADRACE_TRY(Copy(path, reader.get(), entry));
    }
  }

  std::vector<std::string> TakeNamesFoundAgain() { return std::move(again_); }

 private:
  Status Copy(const std::string& path, archive* reader, archive_entry* entry) {
    if (archive_write_header(writer_, entry) < ARCHIVE_WARN)
      return Fail(ErrorCode::kFailedPrecondition, "{}", archive_error_string(writer_));
    int64_t position = 0;
    while (true) {
      const void* bytes = nullptr;
      size_t size = 0;
      la_int64_t offset = 0;
      const int read = archive_read_data_block(reader, &bytes, &size, &offset);
      if (read < ARCHIVE_WARN) return Unreadable(path, reader);
      HEADRACE_TRY(WriteHole((read == ARCHIVE_EOF ? archive_entry_size(entry) : offset) - position));
      if (read == ARCHIVE_EOF) return {};
      if (size > 0 && archive_write_data(writer_, bytes, size) < 0)
        return Fail(ErrorCode::kResourceExhausted, "{}", archive_error_string(writer_));
      position = offset + static_cast<int64_t>(size);
    }
  }

  Status WriteHole(int64_t size) {
    if (zeros_.get() == nullptr) return Fail(ErrorCode::kResourceExhausted, "no memory for a file with holes");
    while (size > 0) {
      const auto n =
          archive_write_data(writer_, zeros_.get(), std::min<size_t>(Zeros::kBytes, static_cast<size_t>(size)));
      if (n <= 0) return Fail(ErrorCode::kResourceExhausted, "{}", archive_error_string(writer_));
      size -= n;
    }
    return {};
  }

  archive* writer_;
  const Zeros zeros_;
  std::set<std::string> names_;
  std::vector<std::string> again_;
};

Result<std::vector<std::string>> WriteMerged(const std::vector<std::string>& archives, const std::string& path) {
  HEADRACE_ASSIGN(ArchiveOutput output, ArchiveOutput::Create(path));
  const MergeWriter writer(archive_write_new());
  HEADRACE_TRY(output.OpenFor(writer.get(), path));
  Merge merge(writer.get());
  for (const auto& archive : archives)
    if (auto added = merge.Add(archive); !added) {
      output.GiveUp();
      return tl::unexpected<Error>(added.error());
    }
  if (archive_write_close(writer.get()) != ARCHIVE_OK)
    return Fail(ErrorCode::kResourceExhausted, "{}: {}", path, archive_error_string(writer.get()));
  return merge.TakeNamesFoundAgain();
}

}  // namespace

Result<std::vector<std::string>> MergeArchives(const std::vector<std::string>& archives, const std::string& path) {
  const std::string unfinished = path + ".part";
  auto again = WriteMerged(archives, unfinished);
  if (!again) {
    ::unlink(unfinished.c_str());
    return again;
  }
  if (::rename(unfinished.c_str(), path.c_str()) != 0)
    return Fail(ErrorCode::kFailedPrecondition, "{}: cannot rename into place: {}", path, std::strerror(errno));
  return again;
}

}  // namespace headrace::jobs
