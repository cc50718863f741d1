#include "sagemaker/estimator/source_package.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

#include <archive.h>
#include <archive_entry.h>

#include "sagemaker/estimator/documents.h"

namespace headrace::sagemaker {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 64;

class TarWriter {
 public:
  explicit TarWriter(const std::string& path) : path_(path), archive_(archive_write_new()) {
    archive_write_add_filter_gzip(archive_.get());
    archive_write_set_format_pax_restricted(archive_.get());
    Check(archive_write_open_filename(archive_.get(), path.c_str()));
  }

  // A file, or a directory with all in it, under `name`.
  void Add(const fs::path& path, const fs::path& name, int depth = 0) {
    if (!fs::is_directory(path)) return AddFile(path, name);
    if (depth > kMaxDepth)
      throw Error(ErrorCode::kInvalidArgument, path.string() + ": deeper than " + std::to_string(kMaxDepth) +
                                                   " directories; does a link lead in a circle?");
    std::vector<fs::path> entries;
    for (const auto& entry : fs::directory_iterator(path)) entries.push_back(entry.path());
    std::sort(entries.begin(), entries.end());
    for (const fs::path& entry : entries) Add(entry, name / entry.filename(), depth + 1);
  }

  void Finish() { Check(archive_write_close(archive_.get())); }

 private:
  struct Free {
    void operator()(struct archive* archive) const { archive_write_free(archive); }
  };
  struct FreeEntry {
    void operator()(struct archive_entry* entry) const { archive_entry_free(entry); }
  };

  void AddFile(const fs::path& path, const fs::path& name) {
    if (!fs::is_regular_file(path)) return;  // FIFOs and devices are no source
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Error(ErrorCode::kFailedPrecondition, path.string() + ": cannot read");
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const bool runs = (fs::status(path).permissions() & fs::perms::owner_exec) != fs::perms::none;
    const std::unique_ptr<struct archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), name.generic_string().c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), runs ? 0755 : 0644);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
    Check(archive_write_header(archive_.get(), entry.get()));
    if (archive_write_data(archive_.get(), bytes.data(), bytes.size()) < 0) Check(ARCHIVE_FATAL);
  }

  void Check(int code) {
    if (code < ARCHIVE_WARN)
      throw Error(ErrorCode::kFailedPrecondition, path_ + ": " + archive_error_string(archive_.get()));
  }

  const std::string path_;
  const std::unique_ptr<struct archive, Free> archive_;
};

}  // namespace

void PackSource(const std::string& entry_point, const std::string& source_dir,
                const std::vector<std::string>& dependencies, const std::string& archive) {
  const fs::path entry = source_dir.empty() ? fs::path(entry_point) : fs::path(source_dir) / entry_point;
  if (!fs::is_regular_file(entry))
    throw Error(ErrorCode::kNotFound,
                "entry_point: found no file " + entry.string() + (source_dir.empty() ? "" : " in source_dir"));
  TarWriter tar(archive);
  if (source_dir.empty()) {
    tar.Add(entry, entry.filename());
  } else {
    tar.Add(source_dir, "");
  }
  for (const std::string& dependency : dependencies) {
    fs::path path = fs::path(dependency).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    if (!fs::exists(path)) throw Error(ErrorCode::kNotFound, "dependencies: found nothing at " + dependency);
    tar.Add(path, path.filename());
  }
  tar.Finish();
}

}  // namespace headrace::sagemaker
