#include "apps/commands/python_command.h"

#include <algorithm>
#include <iostream>

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include "apps/command.h"
#include "apps/platform/data_directory.h"
#include "apps/platform/settings.h"
#include "apps/platform/trial_run.h"
#include "apps/python/framework_trial.h"
#include "apps/python/new_environment.h"
#include "base/beneath.h"
#include "base/descriptor.h"
#include "base/file.h"
#include "jobs/process/find_program.h"
#include "jobs/python/environments.h"
#include "jobs/python/framework.h"
#include "jobs/python/interpreters.h"
#include "jobs/sandbox/sandbox.h"

namespace headrace::apps {
namespace {

using Listing = nlohmann::ordered_json;
using jobs::PythonEnvironment;

struct AddArguments {
  std::string framework;          // "tensorflow==2.21"
  std::vector<std::string> more;  // requirements
  std::string interpreter, name;
};

Listing ShownEnvironment(const PythonEnvironment& environment, const Result<jobs::Interpreter>& interpreter) {
  Listing json{{"name", environment.name},
               {"framework", environment.framework},
               {"interpreter", environment.interpreter},
               {"made", environment.made}};
  if (interpreter) {
    json["python"] = interpreter->version;
    json["packages"] = interpreter->modules;
  } else {
    json["error"] = interpreter.error().message();
  }
  return json;
}

std::string PackagesOf(const jobs::Interpreter& interpreter) {
  std::string text;
  for (const auto& [module, version] : interpreter.modules)
    text += fmt::format("{}{}{}{}", text.empty() ? "" : ", ", module, version.empty() ? "" : " ", version);
  return text.empty() ? "no framework" : text;
}

void PrintRow(const std::string& name, const std::string& python, const std::string& packages,
              const std::string& interpreter) {
  std::cout << fmt::format("{:<18} {:<8} {:<44} {}\n", name, python, packages, interpreter);
}

std::vector<PythonEnvironment>::iterator FindEnvironment(std::vector<PythonEnvironment>& all, const std::string& name) {
  return std::find_if(all.begin(), all.end(), [&](const PythonEnvironment& one) { return one.name == name; });
}

void CheckEnvironmentName(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_' || c == '+';
  });
  if (name.empty() || !plain || name.front() == '.' || name == jobs::kDefaultEnvironment || name == "lock")
    throw MakeError(ErrorCode::kInvalidArgument,
                    "--name: found '{}', wanted letters, digits, '.', '-' and '_', and not '{}', which is the setting "
                    "python",
                    name, jobs::kDefaultEnvironment);
}

// Under which name a framework is registered: "tensorflow-2.21", or "tensorflow" for the newest.
std::string NameFor(const jobs::FrameworkSpec& spec, const std::string& given) {
  if (!given.empty()) return given;
  const auto& wanted = spec.wanted;
  return wanted.version.empty() ? wanted.framework->name : fmt::format("{}-{}", wanted.framework->name, wanted.version);
}

// Whether it imports the framework as jobs will, and of the version that was asked for.
std::string TriedVersion(const jobs::FrameworkSpec& spec, const jobs::Interpreter& interpreter,
                         const Settings& settings) {
  const auto& framework = *spec.wanted.framework;
  const bool sandboxed = settings.sandbox && jobs::ProbeBubblewrap();
  const auto tried = TryFramework(TrialRun(sandboxed), interpreter, framework, PathsOfJobs(settings));
  if (!tried.worked)
    throw MakeError(ErrorCode::kFailedPrecondition,
                    "{} does not import {} as a job sees it: {} (what it needs besides, --job-paths shows to jobs)",
                    interpreter.program, framework.module, tried.said);
  if (!jobs::SameMinorVersion(spec.wanted.version, tried.version))
    throw MakeError(ErrorCode::kInvalidArgument, "{} has {} {}, wanted {}", interpreter.program, framework.name,
                    tried.version, spec.wanted.version);
  return tried.version;
}

void AddEnvironment(const SettingOptions& options, const AddArguments& arguments, OutputFormat format) {
  const Settings settings = options.Read();
  const auto spec = ValueOrThrow(jobs::ParseFrameworkSpec(arguments.framework));
  PythonEnvironment added{NameFor(spec, arguments.name), spec.wanted.framework->name, "",
                          arguments.interpreter.empty()};
  CheckEnvironmentName(added.name);
  const DataDirectory directory(settings.data_dir);
  ValueOrThrow(directory.Make());
  const jobs::PythonEnvironments registry(directory.path());
  const auto lock = ValueOrThrow(registry.Lock());
  auto all = ValueOrThrow(registry.Read());
  if (FindEnvironment(all, added.name) != all.end())
    throw MakeError(ErrorCode::kFailedPrecondition,
                    "there is an environment {} already: remove it first (headrace python remove {}), or give this one "
                    "another name (--name)",
                    added.name, added.name);
  added.interpreter = ValueOrThrow(added.made ? MakeEnvironment({settings.python, registry.DirectoryOf(added.name),
                                                                 spec, arguments.more, format == OutputFormat::kJson})
                                              : jobs::FindProgram(arguments.interpreter));
  const auto interpreter = ValueOrThrow(jobs::ProbeInterpreter(added.interpreter));
  const auto version = TriedVersion(spec, interpreter, settings);
  all.push_back(added);
  ValueOrThrow(registry.Write(all));
  if (format == OutputFormat::kJson) {
    std::cout << ShownEnvironment(added, interpreter).dump(2) << "\n";
    return;
  }
  std::cout << fmt::format("{}: Python {} with {} {} ({})\njobs with such an image have it from now on\n", added.name,
                           interpreter.version, added.framework, version, added.interpreter);
}

void ListEnvironments(const SettingOptions& options, OutputFormat format) {
  const Settings settings = options.Read();
  std::vector<PythonEnvironment> all = {{jobs::kDefaultEnvironment, "", settings.python, false}};
  for (auto& one : ValueOrThrow(jobs::PythonEnvironments(DataDirectory(settings.data_dir).path()).Read()))
    all.push_back(std::move(one));
  Listing json = Listing::array();
  if (format == OutputFormat::kText) PrintRow("NAME", "PYTHON", "PACKAGES", "INTERPRETER");
  for (const auto& one : all) {
    const auto interpreter = jobs::ProbeInterpreter(one.interpreter);
    json.push_back(ShownEnvironment(one, interpreter));
    if (format == OutputFormat::kText)
      PrintRow(one.name, interpreter ? interpreter->version : "-",
               interpreter ? PackagesOf(*interpreter) : interpreter.error().message(), one.interpreter);
  }
  if (format == OutputFormat::kJson) std::cout << json.dump(2) << "\n";
}

void RemoveEnvironment(const SettingOptions& options, const std::string& name, OutputFormat format) {
  const DataDirectory directory(options.Read().data_dir);
  const jobs::PythonEnvironments registry(directory.path());
  const auto lock = ValueOrThrow(registry.Lock());
  auto all = ValueOrThrow(registry.Read());
  const auto found = FindEnvironment(all, name);
  if (found == all.end())
    throw MakeError(ErrorCode::kNotFound, "there is no environment {}: headrace python list shows them", name);
  const bool made = found->made;
  const auto place = registry.DirectoryOf(name);
  const Descriptor held(::open(place.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (made && held && !LockExclusively(held.get()))
    throw MakeError(ErrorCode::kFailedPrecondition, "jobs run on {}: remove it when they have ended", name);
  all.erase(found);
  ValueOrThrow(registry.Write(all));
  if (made) ValueOrThrow(RemoveTree(place));
  if (format == OutputFormat::kJson)
    std::cout << Listing{{"name", name}, {"removed", true}}.dump(2) << "\n";
  else
    std::cout << name << (made ? ": removed\n" : ": no longer registered; the interpreter itself is untouched\n");
}

void AddAddCommand(CLI::App& python) {
  CLI::App* command = python.add_subcommand("add", "an environment for jobs whose image asks for a framework");
  auto options = std::make_shared<SettingOptions>(
      *command, std::initializer_list<std::string_view>{"data-dir", "python", "sandbox", "job-paths"});
  auto arguments = std::make_shared<AddArguments>();
  command->add_option("FRAMEWORK", arguments->framework, "tensorflow, pytorch, sklearn or xgboost, or tensorflow==2.21")
      ->required();
  command->add_option("REQUIREMENT", arguments->more, "what else is to be installed, as pip reads it");
  command
      ->add_option("--interpreter", arguments->interpreter,
                   "registers this one, which has the framework already; without it a new environment is made")
      ->option_text("path");
  command->add_option("--name", arguments->name, "of the environment; without it that of framework and version");
  auto format = AddOutputOption(*command);
  SetExample(*command,
             "headrace python add tensorflow==2.21 pillow pandas\n"
             "  headrace python add tensorflow==1.15 --interpreter /opt/tf1/bin/python3.7");
  command->callback([=] {
    if (!arguments->interpreter.empty() && !arguments->more.empty())
      throw CLI::ValidationError("REQUIREMENT", "nothing is installed into an --interpreter that is there already");
    AddEnvironment(*options, *arguments, *format);
  });
}

void AddListCommand(CLI::App& python) {
  CLI::App* command = python.add_subcommand("list", "the environments, and what they have");
  auto options =
      std::make_shared<SettingOptions>(*command, std::initializer_list<std::string_view>{"data-dir", "python"});
  auto format = AddOutputOption(*command);
  SetExample(*command, "headrace python list");
  command->callback([=] { ListEnvironments(*options, *format); });
}

void AddRemoveCommand(CLI::App& python) {
  CLI::App* command = python.add_subcommand("remove", "an environment; interpreters that were only registered stay");
  auto options = std::make_shared<SettingOptions>(*command, std::initializer_list<std::string_view>{"data-dir"});
  auto name = std::make_shared<std::string>();
  command->add_option("NAME", *name, "as headrace python list shows it")->required();
  auto format = AddOutputOption(*command);
  SetExample(*command, "headrace python remove tensorflow-2.21");
  command->callback([=] { RemoveEnvironment(*options, *name, *format); });
}

}  // namespace

void AddPythonCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("python", "the interpreters that run training programs, one a framework");
  command->require_subcommand(1);
  AddAddCommand(*command);
  AddListCommand(*command);
  AddRemoveCommand(*command);
  SetExample(*command, "headrace python add tensorflow==2.21");
}

}  // namespace headrace::apps
