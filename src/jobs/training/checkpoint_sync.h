// CheckpointSync: a job's checkpoint directory, continuously copied to CheckpointConfig.S3Uri. A file is uploaded once
// two looks in a row have found it the same, the last look takes everything; files that the job deletes are deleted in
// S3. Every upload and every deletion asks anew whether the account may.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/beneath.h"
#include "base/result.h"
#include "jobs/directory/host_directory.h"
#include "store/access/account_objects.h"

namespace headrace::jobs {

class CheckpointSync {
 public:
  // `directory`, below the job's host, is what the job writes to; nothing outside of it is ever read, whatever links
  // the job makes. No file may be larger than `largest`.
  CheckpointSync(store::AccountObjects objects, const std::string& uri, const HostDirectory& job, std::string directory,
                 uint64_t largest);

  // What the job was given to start from: it is in S3 already, and is deleted there when the job deletes it.
  Status Restored(const std::vector<std::string>& names);

  // One look at the directory. kUnavailable when cancelled: the next one goes on from there.
  Status Step(bool last, const std::function<bool()>& cancelled);

 private:
  struct Version {
    uint64_t size = 0;
    int64_t modified_ns = 0;
    bool operator==(const Version&) const = default;
    // Of a file that the job was given: the copy's own time is not known yet.
    static Version Restored() { return {0, -1}; }
  };
  using Versions = std::map<std::string, Version>;

  // None when there is no directory.
  Result<std::optional<Versions>> Look() const;
  Result<HeldDirectory> OpenDirectory() const;
  bool TakeRestored(const Versions& now, int64_t program_began_ns);
  Status Upload(const std::string& name, const Version& version, const std::function<bool()>& cancelled);
  Status Save() const;
  void Load();

  const store::AccountObjects objects_;
  const std::string root_, directory_;
  const std::string state_file_;  // what has been uploaded, for the next process
  const std::string marker_;      // while it exists, what is in the directory is the job's doing
  const uint64_t largest_;
  std::string bucket_, prefix_;
  Versions uploaded_, seen_;
};

}  // namespace headrace::jobs
