#include "jobs/supervisor/python_packages.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "jobs/supervisor/failure_reason.h"
#include "jobs/supervisor/job_step.h"
#include "jobs/supervisor/mpi_launch.h"
#include "jobs/supervisor/pip_failure.h"

namespace headrace::jobs {

void PythonPackages::AddVariables(std::map<std::string, std::string>& variables) const {
  if (InVirtualEnvironment()) {
    variables.emplace("PIP_TARGET", context_.view.ml() + "/packages");
  } else {
    variables.emplace("PIP_USER", "1");
    variables.emplace("PIP_BREAK_SYSTEM_PACKAGES", "1");
  }
  variables.emplace("PIP_DISABLE_PIP_VERSION_CHECK", "1");
  variables.emplace("PIP_RETRIES", "2");  // an index that is out of reach is told of in seconds
  variables.emplace("PIP_ROOT_USER_ACTION", "ignore");
}

bool PythonPackages::InVirtualEnvironment() const {
  return std::filesystem::exists(std::filesystem::path(context_.job.python.program).parent_path().parent_path() /
                                 "pyvenv.cfg");
}

Result<std::vector<std::string>> PythonPackages::Prepare(const Program& program, const HeldDirectory& code,
                                                         std::map<std::string, std::string>& variables) {
  const auto& python = context_.job.python.program;
  if (python.empty())
    return Fail(ErrorCode::kInvalidArgument, "{}: no Python interpreter is configured", program.entry_point);
  const auto has = [&code](const char* name) { return code.Examine(name).has_value(); };
  // Looked at before pip runs what the tenant wrote.
  const bool requirements = has("requirements.txt"), package = has("setup.py"), says_how = has("pyproject.toml");
  if (requirements) HEADRACE_TRY(installed_.Prepare(code, variables));
  if (!package) return Started({program.entry_point}, variables);
  std::vector<std::string> options;
  // Without a pyproject.toml nobody has said what the build needs, and fetching setuptools anew needs an index.
  if (!says_how) {
    HEADRACE_ASSIGN(const bool can_build, CanBuild(variables));
    if (can_build) options.emplace_back("--no-build-isolation");
  }
  HEADRACE_TRY(InstallSource(std::move(options), variables));
  HEADRACE_TRY(LeaveToInstalled(variables));
  auto module = program.entry_point.substr(0, program.entry_point.size() - 3);
  std::replace(module.begin(), module.end(), '/', '.');
  return Started({"-m", module}, variables);
}

// An exception of one rank ends all of them only below mpi4py's own starter: without it the interpreter's end waits for
// the others, which wait for it.
Result<std::vector<std::string>> PythonPackages::Started(std::vector<std::string> what,
                                                         const std::map<std::string, std::string>& variables) const {
  if (IsLaunched(context_.job) && context_.job.current_host == context_.job.hosts.front()) {
    HEADRACE_ASSIGN(const bool has_mpi4py, Has("mpi4py", variables));
    if (has_mpi4py) what.insert(what.begin(), {"-m", "mpi4py"});
  }
  const auto rendezvous = context_.job.request.rendezvous;
  if (rendezvous == Rendezvous::kTorch) HEADRACE_TRY(CheckTorch(variables));
  if (rendezvous == Rendezvous::kParameterServers) what.insert(what.begin(), {"-m", "headrace_parameter_server"});
  what.insert(what.begin(), context_.job.python.program);
  return what;
}

Status PythonPackages::CheckTorch(const std::map<std::string, std::string>& variables) const {
  HEADRACE_ASSIGN(const bool has_torch, Has("torch", variables));
  if (has_torch) return {};
  return Fail(
      ErrorCode::kInvalidArgument,
      "sagemaker_torch_distributed_enabled: the Python that runs has no torch; the owner of this machine can add "
      "one that has it: headrace python add pytorch, or the job brings it in requirements.txt");
}

// Whether the interpreter has setuptools, and what makes a wheel with it: setuptools itself since its version 70.
Result<bool> PythonPackages::CanBuild(const std::map<std::string, std::string>& variables) const {
  return Can(
      "import sys\nfrom importlib.util import find_spec as find\n"
      "sys.exit(not (find('setuptools') and (find('wheel') or find('setuptools.command.bdist_wheel'))))",
      variables);
}

Result<bool> PythonPackages::Has(const std::string& module, const std::map<std::string, std::string>& variables) const {
  return Can(fmt::format("import sys\nfrom importlib.util import find_spec\nsys.exit(not find_spec('{}'))", module),
             variables);
}

Result<bool> PythonPackages::Can(const std::string& code, const std::map<std::string, std::string>& variables) const {
  Command command;
  command.arguments = {context_.job.python.program, "-c", code};
  command.environment = variables;
  command.directory = context_.view.code();
  HEADRACE_ASSIGN(const auto end, RunStep(context_, context_.view.Wrap(std::move(command))));
  return end.succeeded();
}

Status PythonPackages::InstallSource(std::vector<std::string> options,
                                     const std::map<std::string, std::string>& variables) const {
  context_.reporter.Phase(SecondaryStatus::kTraining, "Installing Python packages");
  Command command;
  command.arguments = {context_.job.python.program, "-m", "pip", "install", "."};
  command.arguments.insert(command.arguments.end(), options.begin(), options.end());
  command.environment = variables;
  command.directory = context_.view.code();
  HEADRACE_ASSIGN(const auto end, RunStep(context_, context_.view.Wrap(std::move(command))));
  if (end.succeeded()) return {};
  return Fail(ErrorCode::kInvalidArgument, "{}",
              Truncate("AlgorithmError: pip install . failed: " + PipFailure(context_.reporter.LastLines()),
                       kLongestFailureReason));
}

// Packages of the user come behind PYTHONPATH, where what stands in for missing ones would hide them.
Status PythonPackages::LeaveToInstalled(std::map<std::string, std::string>& variables) const {
  for (const auto& directory : context_.job.python.packages) {
    auto without = variables;
    auto& path = without["PYTHONPATH"];
    const auto found = path.find(":" + directory);
    if (found == std::string::npos) continue;
    path.erase(found, directory.size() + 1);
    const auto name = std::filesystem::path(directory).filename().string();
    HEADRACE_ASSIGN(const bool installed, Has(name, without));
    if (!installed) continue;
    context_.reporter.Say("{}: the one that is installed now, not Headrace's own", name);
    variables = std::move(without);
  }
  return {};
}

}  // namespace headrace::jobs
