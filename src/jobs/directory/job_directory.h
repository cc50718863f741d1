// JobDirectory: what the hosts of one job have in common on the disk. Layout: docs/formats/job-directory.md.
#pragma once

#include <string>

#include "base/result.h"
#include "jobs/directory/host_directory.h"

namespace headrace::jobs {

class JobDirectory {
 public:
  explicit JobDirectory(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string stop() const { return path_ + "/stop"; }
  std::string inputs() const { return path_ + "/inputs"; }
  std::string kept_inputs() const { return path_ + "/inputs.json"; }  // kept_inputs.h
  std::string doors() const { return path_ + "/doors"; }  // sockets of its hosts by which algo-1 starts ranks on them
  std::string ranks() const { return path_ + "/ranks"; }  // how ranks have ended, written by the job's own processes
  std::string doorbell() const { return path_ + "/doorbell"; }  // a FIFO: doorbell.h
  std::string ports(int attempt) const { return path_ + "/ports-" + std::to_string(attempt); }
  std::string hosts() const { return path_ + "/hosts"; }
  // A job that an earlier build of Headrace has begun has its only host's files in its own directory.
  HostDirectory Host(const std::string& name) const;

  // Whether somebody wants the whole job to end.
  bool StopRequested() const;
  Status RequestStop() const;

 private:
  std::string path_;
};

}  // namespace headrace::jobs
