// PythonEnvironments: the interpreters that the owner of the machine has registered for frameworks, in one file of the
// data directory, and those of them that were made there. Nobody but the data directory's owner may have written it:
// what it names is run.
//
//   DATA/python/environments.json   {"version": 1, "environments": [{"name", "framework", "interpreter", "made"}]}
//   DATA/python/NAME/               an environment that was made here
#pragma once

#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"

namespace headrace::jobs {

struct PythonEnvironment {
  std::string name;         // "tensorflow-2.21"
  std::string framework;    // "tensorflow"
  std::string interpreter;  // absolute path
  bool made = false;        // here, so that it is removed with its name

  bool operator==(const PythonEnvironment&) const = default;
};

// Any thread, any process.
class PythonEnvironments {
 public:
  explicit PythonEnvironments(const std::string& data_dir) : directory_(data_dir + "/python") {}

  // None where there is no file. kFailedPrecondition when others may have written it, kDataLoss when it is no registry.
  Result<std::vector<PythonEnvironment>> Read() const;

  // Makes the directory, and keeps others from changing it until the descriptor is closed. kFailedPrecondition when
  // another process does, or when the data directory belongs to another user.
  Result<Descriptor> Lock() const;
  // With the lock in hand.
  Status Write(const std::vector<PythonEnvironment>& environments) const;

  // Where an environment of this name is made.
  std::string DirectoryOf(const std::string& name) const { return directory_ + "/" + name; }

 private:
  std::string File() const { return directory_ + "/environments.json"; }

  const std::string directory_;
};

}  // namespace headrace::jobs
