// PythonPackages: what a Python entry point needs installed before it runs: requirements.txt, setup.py.
#pragma once

#include <string>
#include <vector>

#include "base/beneath.h"
#include "base/result.h"
#include "jobs/process/child.h"
#include "jobs/runtime/contract.h"
#include "jobs/supervisor/installed_packages.h"
#include "jobs/supervisor/job_context.h"

namespace headrace::jobs {

class PythonPackages {
 public:
  explicit PythonPackages(const JobContext& context) : context_(context), installed_(context) {}

  // Where pip puts packages, and how it behaves, for the program too.
  void AddVariables(std::map<std::string, std::string>& variables) const;

  // Installs what the source in `code` asks for, and returns how Python runs `program`: {"python3", "train.py"}.
  // `variables` are the program's: what stands in for packages that are installed now goes from its PYTHONPATH.
  Result<std::vector<std::string>> Prepare(const Program& program, const HeldDirectory& code,
                                           std::map<std::string, std::string>& variables);

 private:
  Result<std::vector<std::string>> Started(std::vector<std::string> what,
                                           const std::map<std::string, std::string>& variables) const;
  // Whether a module is there to be imported, the job's own included.
  Result<bool> Has(const std::string& module, const std::map<std::string, std::string>& variables) const;
  // Whether the interpreter exits with 0 after this code.
  Result<bool> Can(const std::string& code, const std::map<std::string, std::string>& variables) const;
  // That what is to be distributed by PyTorch has it.
  Status CheckTorch(const std::map<std::string, std::string>& variables) const;
  Result<bool> CanBuild(const std::map<std::string, std::string>& variables) const;
  Status InstallSource(std::vector<std::string> options, const std::map<std::string, std::string>& variables) const;
  Status LeaveToInstalled(std::map<std::string, std::string>& variables) const;
  bool InVirtualEnvironment() const;

  const JobContext& context_;
  InstalledPackages installed_;
};

}  // namespace headrace::jobs
