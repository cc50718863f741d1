#include "store/disk_room.h"

#include <algorithm>

#include <sys/statvfs.h>

namespace headrace::store {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

uint64_t LeftAloneOf(const struct statvfs& disk) {
  const uint64_t total = static_cast<uint64_t>(disk.f_blocks) * disk.f_frsize;
  return total == 0 ? 0 : std::clamp(total / 64, 4 * kMiB, 64 * kMiB);
}

}  // namespace

Status DiskRoom::Check() const {
  struct statvfs disk {};
  if (::statvfs(path_.c_str(), &disk) != 0) return {};
  const uint64_t free = static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize, kept = LeftAloneOf(disk);
  if (kept == 0 || free > kept) return {};
  return Fail(
      ErrorCode::kResourceExhausted,
      "the server's disk is full: {:.1f} MiB are free, and the last {:.1f} MiB are kept for deletes and the ends "
      "of jobs; delete something, or give the disk more room",
      static_cast<double>(free) / kMiB, static_cast<double>(kept) / kMiB);
}

uint64_t DiskRoom::LeftAlone() const {
  struct statvfs disk {};
  return ::statvfs(path_.c_str(), &disk) == 0 ? LeftAloneOf(disk) : 0;
}

}  // namespace headrace::store
