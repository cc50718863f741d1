// ArchiveOutput: the file that libarchive writes an archive to. Once given up it takes nothing any more, so that
// libarchive ends at its next write and frees what it holds; archive_write_fail() would leave the compressor's memory.
#pragma once

#include <string>

#include "base/descriptor.h"
#include "base/result.h"

struct archive;

namespace headrace::jobs {

class ArchiveOutput {
 public:
  // An empty file, in the place of one that may be there; a symbolic link is refused.
  static Result<ArchiveOutput> Create(const std::string& path);

  // `writer`, which is new, writes a tar.gz as SageMaker's are here from now on; this object must neither move nor end
  // before the writer is freed. `path` is for messages.
  Status OpenFor(archive* writer, const std::string& path);
  void GiveUp() { given_up_ = true; }

 private:
  static ssize_t Write(archive* writer, void* self, const void* bytes, size_t size);

  Descriptor file_;
  bool given_up_ = false;
};

}  // namespace headrace::jobs
