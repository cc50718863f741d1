// HostDirectory: the paths of one host of a job, and what only the file system can say about it: does its supervisor
// live, has it been asked to stop. Layout: docs/formats/job-directory.md.
#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/beneath.h"
#include "base/descriptor.h"
#include "base/result.h"

namespace headrace::jobs {

// A small file that need not survive the machine: written without waiting for the disk.
Status WriteBriefly(const std::string& path, std::string_view bytes, mode_t mode = 0644);

class HostDirectory {
 public:
  // `files`: the name of the directory, in `path`, that holds what the program sees.
  explicit HostDirectory(std::string path, const std::string& files = "files")
      : path_(std::move(path)), files_(path_ + "/" + files) {}

  const std::string& path() const { return path_; }
  std::string description() const { return path_ + "/job.json"; }
  std::string lock() const { return path_ + "/supervisor.lock"; }
  std::string stop() const { return path_ + "/stop"; }
  std::string output() const { return path_ + "/supervisor.log"; }  // of the supervisor process itself
  const std::string& files() const { return files_; }
  std::string ml() const { return files_ + "/ml"; }
  std::string tmp() const { return files_ + "/tmp"; }
  std::string home() const { return files_ + "/home"; }
  std::string tools() const { return files_ + "/tools"; }  // headrace, python3 and pip3 of the job, read-only for it
  std::string scratch() const { return path_ + "/scratch"; }
  std::string artifacts() const { return path_ + "/artifacts"; }
  std::string checkpoint_state() const { return path_ + "/checkpoints.json"; }
  std::string pulse() const { return path_ + "/pulse"; }  // changes about once a second while the supervisor lives
  // Set when the program may have changed staged files.
  std::string program_started() const { return path_ + "/program-started"; }

  std::string attempt(int number) const { return path_ + "/attempt-" + std::to_string(number); }
  std::string events(int number) const { return attempt(number) + "/events.jsonl"; }
  std::string log(int number) const { return attempt(number) + "/log.spool"; }
  std::string raw_log(int number) const { return attempt(number) + "/log.raw"; }

  // files() and ml(), held. What lies in them is the tenant's as soon as a process of the job's has run: it is reached
  // through these alone.
  Result<HeldDirectory> OpenFiles() const { return HeldDirectory::Open(files()); }
  Result<HeldDirectory> OpenMl() const { return HeldDirectory::Open(ml(), "/opt/ml"); }

  // The others of the job have ended, or are ending, and this host is to end with them.
  bool StopRequested() const;
  Status RequestStop() const;

  // True while a supervisor process holds its lock.
  bool SupervisorAlive() const;
  // Kills it, and the processes of its host with it. False while it still lives.
  bool KillSupervisor() const;
  // For the supervisor: takes the lock for the life of the descriptor. kFailedPrecondition when another holds it.
  Result<Descriptor> Lock() const;

 private:
  std::string path_, files_;
};

}  // namespace headrace::jobs
