#include "jobs/archive/archive_output.h"

#include <cerrno>
#include <cstring>

#include <archive.h>
#include <fcntl.h>
#include <unistd.h>

namespace headrace::jobs {
namespace {

constexpr int kBytesOfAWrite = 1 << 16;

}  // namespace

Result<ArchiveOutput> ArchiveOutput::Create(const std::string& path) {
  ArchiveOutput output;
  output.file_ = Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!output.file_) return Fail(ErrorCode::kFailedPrecondition, "{}: {}", path, std::strerror(errno));
  return output;
}

Status ArchiveOutput::OpenFor(archive* writer, const std::string& path) {
  archive_write_set_format_pax_restricted(writer);
  archive_write_add_filter_gzip(writer);
  archive_write_set_filter_option(writer, "gzip", "compression-level", "1");  // weights hardly shrink further
  archive_write_set_bytes_per_block(writer, kBytesOfAWrite);
  archive_write_set_bytes_in_last_block(writer, 1);
  if (archive_write_open(writer, this, nullptr, Write, nullptr) != ARCHIVE_OK)
    return Fail(ErrorCode::kFailedPrecondition, "{}: {}", path, archive_error_string(writer));
  return {};
}

ssize_t ArchiveOutput::Write(archive* writer, void* self, const void* bytes, size_t size) {
  const auto* output = static_cast<const ArchiveOutput*>(self);
  while (!output->given_up_) {
    const ssize_t n = ::write(output->file_.get(), bytes, size);
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    archive_set_error(writer, errno, "cannot write: %s", std::strerror(errno));
    return -1;
  }
  archive_set_error(writer, ECANCELED, "given up");
  return -1;
}

}  // namespace headrace::jobs
