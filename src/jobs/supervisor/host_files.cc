#include "jobs/supervisor/host_files.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "jobs/runtime/contract.h"

namespace headrace::jobs {

Status HostFiles::Make() const {
  HEADRACE_TRY(Discard());
  for (const auto& path : {directory_.ml(), directory_.tmp(), directory_.home(), directory_.tools(),
                           directory_.scratch(), directory_.artifacts()})
    HEADRACE_TRY(MakeDirectories(path));
  ::chmod(directory_.tmp().c_str(), 01777);
  HEADRACE_TRY(WriteHosts());
  HEADRACE_TRY(WriteTools());
  HEADRACE_ASSIGN(const auto ml, directory_.OpenMl());
  return WriteContractFiles(job_, ml);
}

// First the directories leave their names, then the mark goes, then they are removed: whoever still sees the mark sees
// whole directories, and a crash on the way leaves nothing that another attempt would believe.
Status HostFiles::Discard() const {
  const auto discarded = directory_.files() + ".discarded";
  HEADRACE_TRY(RemoveTree(discarded));
  if (::access(directory_.program_started().c_str(), F_OK) != 0) return {};
  if (::rename(directory_.files().c_str(), discarded.c_str()) != 0 && errno != ENOENT)
    return Fail(ErrorCode::kFailedPrecondition, "{}: cannot move away: {}", directory_.files(), std::strerror(errno));
  HEADRACE_TRY(RemoveTree(directory_.artifacts()));
  ::unlink(directory_.program_started().c_str());
  return RemoveTree(discarded);
}

Status HostFiles::WriteHosts() const {
  std::string hosts = "127.0.0.1 localhost\n::1 localhost ip6-localhost\n";
  for (const auto& host : job_.hosts) hosts += "127.0.0.1 " + host + "\n";
  return WriteBriefly(directory_.files() + "/hosts", hosts);
}

// What a job finds first on its PATH: the program `headrace`, and the configured interpreter, wherever they lie.
Status HostFiles::WriteTools() const {
  if (!job_.headrace.empty()) HEADRACE_TRY(WriteTool("headrace", fmt::format("'{}'", job_.headrace)));
  if (job_.python.program.empty()) return {};
  for (const auto& [name, module] : {std::pair{"python3", ""},
                                     {"python", ""},
                                     {"pip3", " -m pip"},
                                     {"pip", " -m pip"},
                                     {"torchrun", " -m torch.distributed.run"}})
    HEADRACE_TRY(WriteTool(name, fmt::format("'{}'{}", job_.python.program, module)));
  return {};
}

Status HostFiles::WriteTool(const std::string& name, const std::string& command) const {
  const auto path = directory_.tools() + "/" + name;
  HEADRACE_TRY(WriteBriefly(path, fmt::format("#!/bin/sh\nexec {} \"$@\"\n", command), 0755));
  return {};
}

}  // namespace headrace::jobs
