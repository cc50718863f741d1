// Reading the six batches from a directory or an archive.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include <archive.h>
#include <archive_entry.h>

#include "base/file.h"
#include "data/cifar10_dataset.h"
#include "data/cifar10_files.h"

namespace headrace::data {
namespace {

struct FreeArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using ArchivePtr = std::unique_ptr<archive, FreeArchive>;

tl::unexpected<Error> BadArchive(const std::string& path, archive* reader) {
  const char* why = archive_error_string(reader);
  return Fail(ErrorCode::kDataLoss, "{}: cannot read the archive: {}", path, why != nullptr ? why : "unknown reason");
}

// Which batch an entry is, if any.
std::optional<size_t> BatchOf(const char* entry) {
  if (entry == nullptr) return std::nullopt;
  const std::string name = std::filesystem::path(entry).filename().string();
  const auto* place = std::find(std::begin(kCifar10BatchNames), std::end(kCifar10BatchNames), name);
  if (place == std::end(kCifar10BatchNames)) return std::nullopt;
  return static_cast<size_t>(place - std::begin(kCifar10BatchNames));
}

// The entry's bytes; never more than a batch has, whatever the archive claims.
Result<std::string> ReadEntry(const std::string& path, archive* reader, const char* name) {
  std::string bytes(kCifar10BatchBytes + 1, '\0');
  size_t have = 0;
  while (have < bytes.size()) {
    const la_ssize_t n = archive_read_data(reader, &bytes[have], bytes.size() - have);
    if (n < 0) return BadArchive(path, reader);
    if (n == 0) break;
    have += static_cast<size_t>(n);
  }
  if (have > kCifar10BatchBytes)
    return Fail(ErrorCode::kDataLoss, "{}: {}: found more than {} bytes", path, name, kCifar10BatchBytes);
  bytes.resize(have);
  return bytes;
}

Status CheckComplete(const std::string& path, const Cifar10Batches& batches) {
  for (size_t batch = 0; batch < batches.size(); ++batch)
    if (batches[batch].empty())
      return Fail(ErrorCode::kNotFound, "{}: {} is missing or empty", path, kCifar10BatchNames[batch]);
  return {};
}

}  // namespace

Result<Cifar10Batches> ReadCifar10Directory(const std::string& directory) {
  Cifar10Batches batches;
  for (size_t batch = 0; batch < batches.size(); ++batch) {
    const auto path = std::filesystem::path(directory) / kCifar10BatchNames[batch];
    if (!std::filesystem::exists(path)) continue;
    HEADRACE_ASSIGN(batches[batch], ReadFile(path.string(), kCifar10BatchBytes));
  }
  HEADRACE_TRY(CheckComplete(directory, batches));
  return batches;
}

Result<Cifar10Batches> ReadCifar10Archive(const std::string& path) {
  const ArchivePtr reader(archive_read_new());
  archive_read_support_filter_all(reader.get());
  archive_read_support_format_tar(reader.get());
  constexpr size_t kBlock = size_t{1} << 18;
  if (archive_read_open_filename(reader.get(), path.c_str(), kBlock) != ARCHIVE_OK)
    return BadArchive(path, reader.get());
  Cifar10Batches batches;
  archive_entry* entry = nullptr;
  int code = 0;
  while ((code = archive_read_next_header(reader.get(), &entry)) == ARCHIVE_OK || code == ARCHIVE_WARN) {
    const char* name = archive_entry_pathname(entry);
    const auto batch = BatchOf(name);
    if (!batch) continue;
    HEADRACE_ASSIGN(batches[*batch], ReadEntry(path, reader.get(), name));
  }
  if (code != ARCHIVE_EOF) return BadArchive(path, reader.get());
  HEADRACE_TRY(CheckComplete(path, batches));
  return batches;
}

}  // namespace headrace::data
