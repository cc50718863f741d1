// EntryPoint: from a request to the command that runs its program: source unpacked, C++ compiled, packages installed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/beneath.h"
#include "base/result.h"
#include "jobs/process/child.h"
#include "jobs/runtime/contract.h"
#include "jobs/supervisor/job_context.h"
#include "jobs/supervisor/python_packages.h"

namespace headrace::jobs {

class EntryPoint {
 public:
  explicit EntryPoint(const JobContext& context) : context_(context), packages_(context) {}

  // The command's paths are the program's.
  Result<Command> Prepare() const;

 private:
  std::map<std::string, std::string> Environment(const Program& program) const;
  Status UnpackSource(const std::string& uri) const;
  Status UnpackSourceArchive(Descriptor archive, const std::string& uri, const HeldDirectory& code) const;
  TreeLimits LimitsOfTrees() const;
  Result<std::vector<std::string>> Arguments(const Program& program,
                                             const std::map<std::string, std::string>& variables) const;
  Result<std::vector<std::string>> CompileProgram(const std::string& name) const;
  std::string CompileFailure(const std::string& name, const std::string& message) const;

  const JobContext& context_;
  const PythonPackages packages_;
};

}  // namespace headrace::jobs
