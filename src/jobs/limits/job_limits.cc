#include "jobs/limits/job_limits.h"

#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/log.h"
#include "jobs/limits/disk_use.h"
#include "jobs/process/child.h"
#include "jobs/supervisor/failure_reason.h"
#include "jobs/supervisor/program_run.h"

namespace headrace::jobs {
namespace {

DiskEyes EyesOn(const HostDirectory& directory) {
  const std::string host = directory.files(), artifacts = directory.artifacts(), scratch = directory.scratch();
  return {[host] { return FreeBytes(host); },
          [host, artifacts, scratch](const std::vector<pid_t>& processes) {
            // Files of FastFile channels are links to objects: they are not the job's.
            auto use = DiskUseBelow({host, artifacts, scratch}, {"fastfile"});
            use.bytes += DiskUseOfNameless(processes, host);
            return use;
          }};
}

}  // namespace

JobLimits::JobLimits(const JobDescription& job, const HostDirectory& directory)
    : job_(job),
      group_(GroupLimits{job.memory_bytes, job.tasks}),
      disk_({job.disk_bytes, DiskReserve(directory.path())}, EyesOn(directory)) {}

void JobLimits::Bound(RunOptions& options) {
  options.memory_bytes = job_.memory_bytes;
  options.tasks = job_.tasks;
  options.group = &group_;
  options.disk = &disk_;
}

void JobLimits::Note(const ProgramEnd& end) { out_of_disk_ = out_of_disk_ || end.out_of_disk; }

std::string JobLimits::Described() const {
  std::string text = "limits:";
  if (job_.memory_bytes != 0)
    text += fmt::format(" memory {} ({}),", FormatBytes(job_.memory_bytes),
                        group_.limits_memory() ? fmt::format("{}, with /dev/shm", group_.kind())
                        : job_.bubblewrap      ? "measured ten times a second, with /dev/shm"
                                               : "measured ten times a second, without /dev/shm");
  if (job_.tasks != 0)
    text += fmt::format(" {} processes and threads ({}),", job_.tasks,
                        group_.limits_tasks() ? group_.kind() : "counted ten times a second");
  if (job_.disk_bytes != 0) text += fmt::format(" disk {} (measured),", FormatBytes(job_.disk_bytes));
  if (job_.log_bytes != 0) text += fmt::format(" log {},", FormatBytes(job_.log_bytes));
  return text + fmt::format(" {} open files a process", MostDescriptors());
}

void MakeRoom(const HostDirectory& directory, int attempt) {
  [[maybe_unused]] const int emptied = ::truncate(directory.raw_log(attempt).c_str(), 0);
  const auto removed = directory.path() + "/removed";
  std::rename(directory.files().c_str(), removed.c_str());
  // Whoever looks at checkpoints believes what he has seen while this mark is there.
  ::unlink(directory.program_started().c_str());
  for (const auto& path : {removed, directory.files(), directory.scratch(), directory.artifacts()})
    if (auto gone = RemoveTree(path); !gone) Log(LogLevel::kError, "{}", gone.error().message());
}

}  // namespace headrace::jobs
