#include "jobs/supervisor/entry_point.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/beneath.h"
#include "jobs/archive/pack.h"
#include "jobs/archive/unpack.h"
#include "jobs/runtime/compiler.h"
#include "jobs/runtime/hyperparameters.h"
#include "jobs/supervisor/failure_reason.h"
#include "jobs/supervisor/job_step.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::vector<std::string> StringsOf(const json& object, const char* name) {
  std::vector<std::string> strings;
  for (const auto& element : object.value(name, json::array()))
    if (element.is_string()) strings.push_back(element);
  return strings;
}

std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

Status UnpackSourceArchive(const std::string& archive, const std::string& uri, const std::string& code) {
  if (auto unpacked = UnpackArchive(archive, code); !unpacked)
    return Fail(ErrorCode::kInvalidArgument, "sagemaker_submit_directory {}: {}", uri, unpacked.error().message());
  return {};
}

}  // namespace

Result<Command> EntryPoint::Prepare() const {
  const json algorithm = context_.job.request.value("AlgorithmSpecification", json::object());
  auto arguments = StringsOf(algorithm, "ContainerEntrypoint");
  const auto more = StringsOf(algorithm, "ContainerArguments");
  arguments.insert(arguments.end(), more.begin(), more.end());
  const auto parameters = DecodeHyperparameters(context_.job.request.value("HyperParameters", json::object()));
  const Program program{parameters.Text("sagemaker_program"), parameters.Text("sagemaker_submit_directory"),
                        ToArguments(parameters.user)};
  if (!program.module_dir.empty()) HEADRACE_TRY(UnpackSource(program.module_dir));

  Command command;
  command.environment = Environment(program);
  command.directory = context_.view.code();
  if (!arguments.empty()) {
    command.arguments = std::move(arguments);
  } else if (!program.entry_point.empty()) {
    HEADRACE_ASSIGN(command.arguments, Arguments(program, command.environment));
  } else {
    return Fail(ErrorCode::kInvalidArgument,
                "there is nothing to run: images are not executed here, so the job needs the hyperparameters "
                "sagemaker_program and "
                "sagemaker_submit_directory, or AlgorithmSpecification.ContainerEntrypoint");
  }
  return command;
}

std::map<std::string, std::string> EntryPoint::Environment(const Program& program) const {
  auto variables = ContractVariables(context_.job, program, context_.view.ml());
  for (const auto& [name, value] : context_.view.Surroundings()) variables.emplace(name, value);
  packages_.AddVariables(variables);
  return variables;
}

Status EntryPoint::UnpackSource(const std::string& uri) const {
  if (context_.job.source) return UnpackSourceArchive(context_.job.source->blob, uri, Code());
  constexpr std::string_view kMl = "/opt/ml/";
  const auto& ml = context_.directory.ml();
  const auto path = uri.starts_with(kMl) ? ml + "/" + uri.substr(kMl.size()) : uri;
  if (path == uri && !uri.starts_with(ml + "/"))
    return Fail(ErrorCode::kInvalidArgument,
                "sagemaker_submit_directory: found '{}', wanted an s3:// URI or a path below /opt/ml", uri);
  if (fs::is_directory(path)) return CopyTree(path, Code());
  if (!fs::is_regular_file(path)) return Fail(ErrorCode::kNotFound, "sagemaker_submit_directory: there is no {}", uri);
  return UnpackSourceArchive(path, uri, Code());
}

Result<std::vector<std::string>> EntryPoint::Arguments(const Program& program,
                                                       const std::map<std::string, std::string>& variables) const {
  const auto& name = program.entry_point;
  const auto path = Code() + "/" + name;
  if (!IsSafeRelativePath(name) || !fs::is_regular_file(path))
    return Fail(ErrorCode::kInvalidArgument, "sagemaker_program: there is no '{}' in the source; there is: {}", name,
                FilesOfSource());
  std::vector<std::string> arguments;
  if (IsCppSource(name)) {
    HEADRACE_ASSIGN(arguments, CompileProgram(name));
  } else if (name.ends_with(".py")) {
    HEADRACE_ASSIGN(arguments, packages_.Prepare(program, variables));
  } else {
    ::chmod(path.c_str(), 0755);
    std::string line = "./" + name;  // as the toolkit runs commands
    for (const auto& argument : program.arguments) line += " " + Quoted(argument);
    return std::vector<std::string>{"/bin/sh", "-c", line};
  }
  arguments.insert(arguments.end(), program.arguments.begin(), program.arguments.end());
  return arguments;
}

std::string EntryPoint::FilesOfSource() const {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(Code(), ignored)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  std::string list;
  for (size_t i = 0; i < names.size() && i < 20; ++i) list += (i == 0 ? "" : ", ") + names[i];
  return names.empty() ? "nothing" : list;
}

Result<std::vector<std::string>> EntryPoint::CompileProgram(const std::string& name) const {
  const auto& job = context_.job;
  const CompileRequest request{.source_dir = Code(),
                               .entry_point = name,
                               .compiler = job.compiler,
                               .installation = {job.include_dir, job.library_dir, job.cmake_dir, ""},
                               .cache_dir = job.cache_dir,
                               .parallel = static_cast<int>(std::max<size_t>(job.cpus.size(), 1))};
  const auto begin = context_.clock.Now();
  bool told = false;
  const RunCompiler run = [&](const Command& command, const std::string& build) -> Result<bool> {
    if (!told) context_.reporter.Phase("Training", "Compiling " + name);
    told = true;
    HEADRACE_ASSIGN(const auto end, RunStep(context_, context_.view.WrapTool(command, {request.source_dir}, {build})));
    return end.succeeded();
  };
  auto compiled = Compile(request, run, [this] { return context_.stop.Requested(); });
  if (!compiled) {
    if (compiled.error().code() != ErrorCode::kInvalidArgument)
      return tl::unexpected<Error>(std::move(compiled.error()));
    return Fail(ErrorCode::kInvalidArgument, "{}", CompileFailure(name, compiled.error().message()));
  }
  context_.reporter.Say("{} {} in {} ms", name, compiled->from_cache ? "compiled before, found" : "compiled",
                        context_.clock.Now() - begin);
  const auto directory = fs::path(compiled->path).parent_path().string();
  return std::vector<std::string>{context_.view.Show(directory, "/opt/headrace/program", false) + "/program"};
}

std::string EntryPoint::CompileFailure(const std::string& name, const std::string& message) const {
  std::string reason = fmt::format("AlgorithmError: {} does not compile: {}", name, message);
  // The first errors say most, not the last.
  for (const auto& line : context_.reporter.LastLines())
    if (line.find("error") != std::string::npos || reason.find('\n') != std::string::npos) reason += "\n" + line;
  return Truncate(std::move(reason), kLongestFailureReason);
}

}  // namespace headrace::jobs
