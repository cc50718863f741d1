#include "jobs/directory/job_directory.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "base/descriptor.h"

namespace headrace::jobs {

HostDirectory JobDirectory::Host(const std::string& name) const {
  const bool of_an_earlier_build =
      ::access(hosts().c_str(), F_OK) != 0 && ::access((path_ + "/job.json").c_str(), F_OK) == 0;
  return of_an_earlier_build ? HostDirectory(path_, name) : HostDirectory(hosts() + "/" + name);
}

bool JobDirectory::StopRequested() const { return ::access(stop().c_str(), F_OK) == 0; }

Status JobDirectory::RequestStop() const {
  const Descriptor file(::open(stop().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot create: {}", stop(), std::strerror(errno));
  return {};
}

}  // namespace headrace::jobs
