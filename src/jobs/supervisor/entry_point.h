// EntryPoint: from a request to the command that runs its program: source unpacked, C++ compiled, packages installed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/beneath.h"
#include "base/descriptor.h"
#include "base/result.h"
#include "jobs/process/child.h"
#include "jobs/runtime/contract.h"
#include "jobs/supervisor/job_context.h"
#include "jobs/supervisor/python_packages.h"

namespace headrace::jobs {

class EntryPoint {
 public:
  explicit EntryPoint(const JobContext& context) : context_(context), packages_(context) {}

  // The command's paths are the program's. What it needs is there as long as this lives.
  Result<Command> Prepare();

 private:
  std::map<std::string, std::string> Environment(const Program& program) const;
  void HoldInterpreter();
  void SayInterpreter() const;
  Status UnpackSource(const std::string& uri) const;
  Status UnpackSourceArchive(Descriptor archive, const std::string& uri, const HeldDirectory& code) const;
  TreeLimits LimitsOfTrees() const;
  Result<std::vector<std::string>> Arguments(const Program& program, std::map<std::string, std::string>& variables);
  Result<std::vector<std::string>> CompileProgram(const std::string& name) const;
  std::string CompileFailure(const std::string& name, const std::string& message) const;

  const JobContext& context_;
  PythonPackages packages_;
  std::vector<Descriptor> held_;  // what the interpreter lies in
};

}  // namespace headrace::jobs
