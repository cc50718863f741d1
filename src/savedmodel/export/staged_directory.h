// A directory that appears under its name complete or not at all.
#pragma once

#include <string>

#include "base/result.h"

namespace headrace::savedmodel {

class StagedDirectory {
 public:
  // Makes a hidden, empty sibling of `target`, and target's parents.
  static Result<StagedDirectory> Create(const std::string& target);
  StagedDirectory(StagedDirectory&& other) noexcept;
  StagedDirectory& operator=(StagedDirectory&&) = delete;
  ~StagedDirectory();  // without Commit() all is removed

  const std::string& path() const { return staging_; }
  // Renames it to `target`. An existing target is replaced with `overwrite`, refused without (kFailedPrecondition).
  Status Commit(bool overwrite);

 private:
  StagedDirectory() = default;
  std::string target_, staging_;  // staging_ is empty when there is nothing to remove
};

}  // namespace headrace::savedmodel
