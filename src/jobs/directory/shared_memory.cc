#include "jobs/directory/shared_memory.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"

namespace headrace::jobs {
namespace {

constexpr const char* kMemory = "/dev/shm";

}  // namespace

std::string SharedMemoryOf(const JobDirectory& job) {
  if (::access(kMemory, W_OK) != 0) return job.path() + "/shared";
  unsigned char digest[SHA256_DIGEST_LENGTH];
  ::SHA256(reinterpret_cast<const unsigned char*>(job.path().data()), job.path().size(), digest);
  std::string name;
  for (int i = 0; i < 12; ++i) name += fmt::format("{:02x}", digest[i]);
  return fmt::format("{}/headrace-{}", kMemory, name);
}

// /dev/shm is everybody's: what is there under this name is believed only when this has made it.
Status MakeSharedMemory(const JobDirectory& job) {
  HEADRACE_TRY(RemoveSharedMemory(job));
  const auto path = SharedMemoryOf(job);
  if (::mkdir(path.c_str(), 0700) == 0) return {};
  return Fail(ErrorCode::kFailedPrecondition, "{}: cannot create: {}", path, std::strerror(errno));
}

Status RemoveSharedMemory(const JobDirectory& job) { return RemoveTree(SharedMemoryOf(job)); }

}  // namespace headrace::jobs
