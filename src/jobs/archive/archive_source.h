// ArchiveSource: the bytes of a tar archive as they come out of a file: gzip is taken off, any number of members, each
// with its checksum and length verified (libarchive does not), and what comes out is bounded. Other compressions, which
// verify themselves, are left to libarchive.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "jobs/pipe/gunzip.h"

namespace headrace::jobs {

class ArchiveSource {
 public:
  // `most` bytes may come out, and from 64 MiB on `ratio` for each byte that goes in.
  static Result<std::unique_ptr<ArchiveSource>> Open(Descriptor file, uint64_t most, uint64_t ratio);

  // The next bytes, valid until the next call; none at the end. kDataLoss, kResourceExhausted.
  Result<std::string_view> Next();
  uint64_t consumed() const;  // bytes of the file read so far

 private:
  ArchiveSource(Descriptor file, uint64_t most, uint64_t ratio);

  Descriptor file_;
  std::unique_ptr<Gunzip> gunzip_;  // when it is gzip
  const uint64_t most_, ratio_;
  std::vector<char> buffer_;
  uint64_t produced_ = 0;
};

}  // namespace headrace::jobs
