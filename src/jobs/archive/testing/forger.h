// Forger: archives with entries that no honest tool would write.
#pragma once

#include <cstdint>
#include <string>

#include <archive.h>
#include <archive_entry.h>

namespace headrace::jobs {

class Forger {
 public:
  explicit Forger(const std::string& path) : writer_(archive_write_new()) {
    archive_write_set_format_pax(writer_);
    archive_write_add_filter_gzip(writer_);
    archive_write_open_filename(writer_, path.c_str());
  }
  ~Forger() {
    archive_write_close(writer_);
    archive_write_free(writer_);
  }
  void Add(const std::string& name, unsigned type, const std::string& link = "", const std::string& bytes = "",
           bool hard = false) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, type);
    archive_entry_set_perm(entry, 0777);
    if (hard)
      archive_entry_set_hardlink(entry, link.c_str());
    else if (!link.empty())
      archive_entry_set_symlink(entry, link.c_str());
    archive_entry_set_size(entry, static_cast<int64_t>(bytes.size()));
    archive_write_header(writer_, entry);
    if (!bytes.empty()) archive_write_data(writer_, bytes.data(), bytes.size());
    archive_entry_free(entry);
  }

 private:
  archive* writer_;
};

}  // namespace headrace::jobs
