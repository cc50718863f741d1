// Unpacking of archives that users bring: source_dir as sourcedir.tar.gz.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace headrace::jobs {

struct UnpackLimits {
  uint64_t total_bytes = uint64_t{4} << 30;
  uint64_t files = 100'000;
  // Bytes that come out for each byte that goes in, from 64 MiB on.
  uint64_t ratio = 200;
};

// Unpacks a tar archive, compressed or not, into an empty or new directory. Everything written is below it: refused
// with kInvalidArgument are absolute names, "..", links that lead outside, devices and other special files; with
// kResourceExhausted what exceeds a limit; with kDataLoss what is no such archive. Owners are ignored, permissions are
// kept as far as the owner's.
Status UnpackArchive(const std::string& archive, const std::string& directory, const UnpackLimits& limits = {});

}  // namespace headrace::jobs
