// CheckpointSync: a job's checkpoint directory, continuously copied to CheckpointConfig.S3Uri. A file is uploaded once
// two looks in a row have found it the same, the last look takes everything; files that the job deletes are deleted in
// S3.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace headrace::store {
class ObjectStore;
}

namespace headrace::jobs {

class CheckpointSync {
 public:
  // `root`/`directory` is what the job writes to; nothing outside `root` is ever read, whatever links the job makes.
  // `state_file` remembers what has been uploaded, for the next process.
  CheckpointSync(store::ObjectStore& objects, std::string account, const std::string& uri, std::string root,
                 std::string directory, std::string state_file);

  // What the job was given to start from: it is in S3 already, and is deleted there when the job deletes it.
  Status Restored(const std::vector<std::string>& names);

  // One look at the directory.
  Status Step(bool last);

 private:
  struct Version {
    uint64_t size = 0;
    int64_t modified_ns = 0;
    bool operator==(const Version&) const = default;
  };
  using Versions = std::map<std::string, Version>;

  Versions Look() const;
  Status Upload(const std::string& name, const Version& version);
  Status Save() const;
  void Load();

  store::ObjectStore& objects_;
  const std::string account_, root_, directory_, state_file_;
  std::string bucket_, prefix_;
  Versions uploaded_, seen_;
};

}  // namespace headrace::jobs
