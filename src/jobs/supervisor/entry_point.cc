#include "jobs/supervisor/entry_point.h"

#include <algorithm>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/beneath.h"
#include "jobs/archive/unpack.h"
#include "jobs/request/hyperparameters.h"
#include "jobs/runtime/compiler.h"
#include "jobs/runtime/rendezvous.h"
#include "jobs/supervisor/failure_reason.h"
#include "jobs/supervisor/job_step.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

std::string FilesOfSource(const HeldDirectory& code) {
  const auto names = code.List().value_or(std::vector<std::string>());
  std::string list;
  for (size_t i = 0; i < names.size() && i < 20; ++i) list += (i == 0 ? "" : ", ") + names[i];
  return names.empty() ? "nothing" : list;
}

std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

// What went wrong with the source, named by the field of the request.
tl::unexpected<Error> BadSource(const std::string& uri, const Error& error) {
  return Fail(error.code() == ErrorCode::kUnavailable ? error.code() : ErrorCode::kInvalidArgument,
              "sagemaker_submit_directory {}: {}", uri, error.message());
}

// "code/src" for "/opt/ml/code/src/"; "" for what does not lie below /opt/ml.
std::string BelowMl(std::string_view path) {
  constexpr std::string_view kMl = "/opt/ml/";
  if (!path.starts_with(kMl)) return "";
  path.remove_prefix(kMl.size());
  if (path.ends_with('/')) path.remove_suffix(1);
  return IsSafeRelativePath(path) ? std::string(path) : "";
}

}  // namespace

Result<Command> EntryPoint::Prepare() {
  HoldInterpreter();
  const auto& algorithm = context_.job.request.algorithm;
  auto arguments = algorithm.container_entrypoint;
  arguments.insert(arguments.end(), algorithm.container_arguments.begin(), algorithm.container_arguments.end());
  const auto& parameters = context_.job.request.hyperparameters;
  const Program program{EntryPointName(parameters.Text("sagemaker_program")),
                        parameters.Text("sagemaker_submit_directory"), ToArguments(parameters.user)};
  if (!program.module_dir.empty()) HEADRACE_TRY(UnpackSource(program.module_dir));

  Command command;
  command.environment = Environment(program);
  command.directory = context_.view.code();
  if (!arguments.empty()) {
    SayInterpreter();  // a shell's script may use it
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
  auto variables = ContractVariables(context_.job, program, context_.view.ml(), context_.view.packages());
  for (const auto& [name, value] : context_.view.Surroundings()) variables.emplace(name, value);
  for (auto& [name, value] : RendezvousVariables(context_.job, context_.view.sandboxed()))
    variables.insert_or_assign(name, value);
  packages_.AddVariables(variables);
  return variables;
}

// An environment that a job runs on is not removed meanwhile: `headrace python remove` asks for the same lock.
void EntryPoint::HoldInterpreter() {
  for (const auto& path : context_.job.python.paths) {
    Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory && ::flock(directory.get(), LOCK_SH | LOCK_NB) == 0) held_.push_back(std::move(directory));
  }
}

void EntryPoint::SayInterpreter() const {
  const auto& python = context_.job.python;
  if (python.program.empty()) return;
  std::string own;
  for (const auto& directory : python.packages)
    own += (own.empty() ? "; Headrace's own: " : ", ") + fs::path(directory).filename().string();
  context_.reporter.Say("{}{}", python.described, own);
  if (!python.remark.empty()) context_.reporter.Say("{}", python.remark);
}

// Before any process of the tenant's; still, every part of the path is one of the job's own.
Status EntryPoint::UnpackSource(const std::string& uri) const {
  HEADRACE_ASSIGN(const auto ml, context_.directory.OpenMl());
  HEADRACE_ASSIGN(const auto code, ml.MakeDirectories("code"));
  if (context_.job.source) {
    HEADRACE_ASSIGN(auto archive, OpenArchive(context_.job.source->blob));
    return UnpackSourceArchive(std::move(archive), uri, code);
  }
  const auto name = BelowMl(uri);
  if (name.empty())
    return Fail(ErrorCode::kInvalidArgument,
                "sagemaker_submit_directory: found '{}', wanted an s3:// URI or a path below /opt/ml without '.', '..' "
                "and doubled slashes",
                uri);
  if (name == "code") return {};  // it lies there already
  const auto status = ml.Examine(name);
  if (!status) return BadSource(uri, status.error());
  if (S_ISDIR(status->st_mode)) {
    const auto source = ml.OpenDirectory(name);
    const auto copied = source ? source->CopyTo(code, LimitsOfTrees()) : Status(tl::unexpected<Error>(source.error()));
    return copied ? copied : BadSource(uri, copied.error());
  }
  auto archive = ml.OpenFile(name);
  if (!archive) return BadSource(uri, archive.error());
  return UnpackSourceArchive(std::move(*archive), uri, code);
}

Status EntryPoint::UnpackSourceArchive(Descriptor archive, const std::string& uri, const HeldDirectory& code) const {
  UnpackLimits limits;
  limits.total_bytes = std::min(limits.total_bytes, context_.job.volume_bytes());
  limits.cancelled = [this] { return context_.stop.Requested(); };
  if (auto unpacked = UnpackArchive(std::move(archive), code, limits); !unpacked)
    return BadSource(uri, unpacked.error());
  return {};
}

TreeLimits EntryPoint::LimitsOfTrees() const {
  return {.bytes = context_.job.volume_bytes(), .cancelled = [this] { return context_.stop.Requested(); }};
}

Result<std::vector<std::string>> EntryPoint::Arguments(const Program& program,
                                                       std::map<std::string, std::string>& variables) {
  const auto& name = program.entry_point;
  HEADRACE_ASSIGN(const auto ml, context_.directory.OpenMl());
  HEADRACE_ASSIGN(const auto code, ml.OpenDirectory("code"));
  const auto status = code.Examine(name);
  // A link in the source is followed by the program's own processes alone, inside the sandbox.
  if (!status || !(S_ISREG(status->st_mode) || S_ISLNK(status->st_mode)))
    return Fail(ErrorCode::kInvalidArgument, "sagemaker_program: there is no '{}' in the source; there is: {}", name,
                FilesOfSource(code));
  std::vector<std::string> arguments;
  if (IsCppSource(name)) {
    HEADRACE_ASSIGN(arguments, CompileProgram(name));
  } else if (name.ends_with(".py")) {
    SayInterpreter();
    HEADRACE_ASSIGN(arguments, packages_.Prepare(program, code, variables));
  } else {
    if (const auto file = code.OpenFile(name)) ::fchmod(file->get(), 0755);
    std::string line = "./" + name;  // as the toolkit runs commands
    for (const auto& argument : program.arguments) line += " " + Quoted(argument);
    return std::vector<std::string>{"/bin/sh", "-c", line};
  }
  arguments.insert(arguments.end(), program.arguments.begin(), program.arguments.end());
  return arguments;
}

Result<std::vector<std::string>> EntryPoint::CompileProgram(const std::string& name) const {
  const auto& job = context_.job;
  const CompileRequest request{.source_dir = context_.directory.ml() + "/code",
                               .entry_point = name,
                               .compiler = job.compiler,
                               .installation = {.include_dir = job.include_dir,
                                                .library_dir = job.library_dir,
                                                .cmake_dir = job.cmake_dir,
                                                .mpi_include_dir = job.mpi_include_dir},
                               .cache_dir = job.cache_dir,
                               .parallel = static_cast<int>(std::max<size_t>(job.cpus.size(), 1))};
  const auto begin = context_.steady.Now();
  bool told = false;
  const RunCompiler run = [&](const Command& command, const std::string& build) -> Result<bool> {
    if (!told) context_.reporter.Phase(SecondaryStatus::kTraining, "Compiling " + name);
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
                        context_.steady.Now() - begin);
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
