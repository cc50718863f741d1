// ProgramCache: compiled programs by key, each with what its compiler has read.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/beneath.h"
#include "base/descriptor.h"
#include "base/result.h"

namespace headrace::jobs {

class ProgramCache {
 public:
  // As OpenCacheDirectory.
  static Result<ProgramCache> Open(const std::string& directory);

  // The program of a key; none when there is none, or when something that its compiler read has changed.
  std::optional<std::string> Find(const std::string& key) const;

  // Waits for whoever compiles the same program now. kUnavailable when cancelled.
  Result<Descriptor> Lock(const std::string& key, const std::function<bool()>& cancelled) const;

  // A new, empty directory to build in, and its end.
  Result<HeldDirectory> NewBuild(const std::string& key) const;
  void RemoveBuild(const std::string& key) const;

  // Takes the file `program` of the build directory. `reads` is what CompilerReads says. Returns the program's path.
  Result<std::string> Keep(const std::string& key, const HeldDirectory& build, const std::string& reads) const;

 private:
  explicit ProgramCache(HeldDirectory programs) : programs_(std::move(programs)) {}

  HeldDirectory programs_;
};

}  // namespace headrace::jobs
