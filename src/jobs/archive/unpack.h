// Unpacking of archives that users bring: source_dir as sourcedir.tar.gz, models as model.tar.gz.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/beneath.h"
#include "base/descriptor.h"
#include "base/result.h"

namespace headrace::jobs {

struct UnpackLimits {
  uint64_t total_bytes = uint64_t{4} << 30;  // of all files, holes counted
  uint64_t files = 100'000;                  // and directories, named or not
  // Bytes that come out for each byte that goes in, from 64 MiB on.
  uint64_t ratio = 200;
  std::function<bool()> cancelled = [] { return false; };
};

// Unpacks a tar archive, compressed or not, into an empty or new directory. Everything written is below it: refused
// with kInvalidArgument are absolute names, "..", links that lead outside, entries that lead through links, devices and
// other special files; with kResourceExhausted what exceeds a limit; with kDataLoss what is no such archive or not a
// whole one (checksums are verified). kUnavailable when cancelled. Owners are ignored, permissions are kept as far as
// the owner's.
Status UnpackArchive(Descriptor archive, const HeldDirectory& directory, const UnpackLimits& limits = {});
// The same with paths of the platform's own.
Status UnpackArchive(const std::string& archive, const std::string& directory, const UnpackLimits& limits = {});

// A file of the platform's own.
Result<Descriptor> OpenArchive(const std::string& path);

}  // namespace headrace::jobs
