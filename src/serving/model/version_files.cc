#include "serving/model/version_files.h"

#include <filesystem>
#include <functional>
#include <string_view>

#include <sys/stat.h>

namespace headrace::serving {
namespace {

namespace fs = std::filesystem;

constexpr int kMostDepth = 8, kMostFiles = 10000;

uint64_t Mixed(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 29;
}

uint64_t OneFile(const std::string& path) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0) return 0;
  uint64_t hash = std::hash<std::string_view>()(path);
  for (const auto value : {static_cast<uint64_t>(status.st_ino), static_cast<uint64_t>(status.st_size),
                           static_cast<uint64_t>(status.st_mtim.tv_sec), static_cast<uint64_t>(status.st_mtim.tv_nsec),
                           static_cast<uint64_t>(status.st_ctim.tv_sec), static_cast<uint64_t>(status.st_ctim.tv_nsec)})
    hash = Mixed(hash, value);
  return hash;
}

}  // namespace

uint64_t FingerprintOf(const std::string& directory) {
  uint64_t sum = OneFile(directory);  // a sum: the order in which a directory lists its files means nothing
  int files = 0;
  std::error_code error;
  auto at = fs::recursive_directory_iterator(directory, fs::directory_options::skip_permission_denied, error);
  for (; !error && at != fs::recursive_directory_iterator() && files < kMostFiles; at.increment(error), ++files) {
    if (at.depth() >= kMostDepth) at.disable_recursion_pending();
    sum += OneFile(at->path().string());
  }
  return sum;
}

Status RequireOrdinaryFiles(const std::string& directory) {
  std::error_code error;
  auto at = fs::recursive_directory_iterator(directory, error);
  for (int files = 0; !error && at != fs::recursive_directory_iterator(); at.increment(error), ++files) {
    if (files >= kMostFiles || at.depth() > kMostDepth)
      return Fail(ErrorCode::kResourceExhausted, "{}: more than {} files, or {} directories in each other", directory,
                  kMostFiles, kMostDepth);
    struct stat status = {};
    if (::stat(at->path().c_str(), &status) != 0 || !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
      return Fail(ErrorCode::kFailedPrecondition, "{}: wanted an ordinary file or a directory", at->path().string());
  }
  return {};
}

}  // namespace headrace::serving
