#include "jobs/runtime/compiler.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "jobs/process/find_program.h"
#include "jobs/runtime/compiler_reads.h"
#include "jobs/runtime/content_hash.h"
#include "jobs/runtime/program_cache.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

// Programs are glue around libheadrace, whose kernels pick their instructions at run time: nothing is gained, and a
// cache shared by unlike machines is lost, by -march=native.
constexpr const char* kFlags[] = {"-std=c++20", "-O2", "-pthread"};

bool IsSourceOrHeader(const fs::path& path) {
  for (const char* ending : {".h", ".hpp", ".hh", ".inc", ".cpp", ".cc", ".cxx"})
    if (path.extension() == ending) return true;
  return false;
}

// The sources and headers right in the directory.
Status AddSources(const HeldDirectory& directory, ContentHash& hash) {
  hash.AddField(directory.path());
  HEADRACE_ASSIGN(const auto names, directory.List());
  for (const auto& name : names) {
    if (!IsSourceOrHeader(name)) continue;
    const auto file = directory.OpenFile(name);
    if (!file) continue;  // a directory of such a name, a link: what the compiler reads of it is looked at afterwards
    hash.AddField(name);
    HEADRACE_TRY(hash.AddFile(file->get()));
  }
  return {};
}

// What tells one build of a file from the next: compilers and libraries are not read through.
std::string Identity(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return path + " absent";
  return fmt::format("{} {} {}.{}", path, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

// MPI for programs that call it themselves, whose headers Debian keeps in a place of their own; others do not load it.
std::vector<std::string> MpiFlags(const Installation& installation) {
  if (!fs::exists(installation.mpi_include_dir + "/mpi.h")) return {};
  return {"-isystem",
          installation.mpi_include_dir,
          "-DOMPI_SKIP_MPICXX",
          "-DMPICH_SKIP_MPICXX",
          "-Wl,--push-state,--as-needed",
          "-lmpi",
          "-Wl,--pop-state"};
}

bool IsCMakeProject(const CompileRequest& request) { return fs::exists(request.source_dir + "/CMakeLists.txt"); }

bool CountsWhole(const CompileRequest& request) { return request.whole_tree || IsCMakeProject(request); }

Result<std::string> CacheKey(const CompileRequest& request) {
  ContentHash hash;
  hash.AddField("headrace program 3");
  hash.AddField(request.entry_point);
  for (const char* flag : kFlags) hash.AddField(flag);
  hash.AddField(Identity(fs::weakly_canonical(FindProgram(request.compiler).value_or(request.compiler)).string()));
  for (const char* library : {"/libheadrace.so", "/libheadrace_horovod.so"})
    hash.AddField(Identity(request.installation.library_dir + library));
  for (const auto& flag : MpiFlags(request.installation)) hash.AddField(flag);
  HEADRACE_ASSIGN(const auto headers, HeldDirectory::Open(request.installation.include_dir + "/headrace"));
  HEADRACE_TRY(hash.AddTree(headers));
  HEADRACE_ASSIGN(const auto source, HeldDirectory::Open(request.source_dir));
  HEADRACE_TRY(CountsWhole(request) ? hash.AddTree(source) : AddSources(source, hash));
  return hash.Hex();
}

std::map<std::string, std::string> CompilerEnvironment() {
  const char* path = std::getenv("PATH");
  return {{"PATH", path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path}, {"LC_ALL", "C"}, {"HOME", "/tmp"}};
}

Status RunStep(const RunCompiler& run, std::vector<std::string> arguments, const std::string& directory,
               const std::string& build) {
  const std::string shown = arguments.front();
  HEADRACE_ASSIGN(arguments.front(), FindProgram(shown));
  HEADRACE_ASSIGN(
      const bool succeeded,
      run({.arguments = std::move(arguments), .environment = CompilerEnvironment(), .directory = directory}, build));
  if (!succeeded) return Fail(ErrorCode::kInvalidArgument, "{} failed", shown);
  return {};
}

Status CompileFile(const CompileRequest& request, const std::string& build, const RunCompiler& run) {
  std::vector<std::string> arguments = {request.compiler};
  arguments.insert(arguments.end(), std::begin(kFlags), std::end(kFlags));
  const auto& include = request.installation.include_dir;
  const auto& library = request.installation.library_dir;
  arguments.insert(arguments.end(),
                   {"-I", include, "-I", request.source_dir, "-o", build + "/program", request.entry_point});
  arguments.insert(arguments.end(), {"-MD", "-MF", build + "/program.d"});
  if (fs::exists(library + "/libheadrace.so"))
    arguments.insert(arguments.end(), {"-L", library, "-lheadrace", "-Wl,-rpath," + library});
  // As needed: a program that does not use hvd:: loads no MPI.
  if (fs::exists(library + "/libheadrace_horovod.so"))
    arguments.insert(arguments.end(), {"-Wl,--push-state,--as-needed", "-lheadrace_horovod", "-Wl,--pop-state"});
  const auto mpi = MpiFlags(request.installation);
  arguments.insert(arguments.end(), mpi.begin(), mpi.end());
  if (FindProgram("ld.mold")) arguments.push_back("-fuse-ld=mold");
  return RunStep(run, std::move(arguments), request.source_dir, build);
}

// The executable of the entry point's name, anywhere in what the project built, becomes `program`.
Status TakeExecutable(const CompileRequest& request, const std::string& directory) {
  const auto stem = fs::path(request.entry_point).stem().string();
  HEADRACE_ASSIGN(const auto build, HeldDirectory::Open(directory));
  std::string executable;
  HEADRACE_TRY(build.Walk([&](const FoundEntry& found) -> Status {
    if (executable.empty() && found.name == stem && S_ISREG(found.status.st_mode) &&
        (found.status.st_mode & S_IXUSR) != 0 && found.path.find("CMakeFiles/") == std::string::npos)
      executable = found.path;
    return {};
  }));
  if (executable.empty())
    return Fail(ErrorCode::kInvalidArgument, "CMakeLists.txt builds no executable named '{}', after the entry point {}",
                stem, request.entry_point);
  HEADRACE_ASSIGN(const auto place, build.PlaceOf(executable));
  if (executable != "program" &&
      ::renameat(place.directory.get(), place.name.c_str(), build.descriptor(), "program") != 0)
    return Fail(ErrorCode::kFailedPrecondition, "cannot take the program out of its build directory: {}",
                std::strerror(errno));
  return {};
}

Status CompileProject(const CompileRequest& request, const std::string& build, const RunCompiler& run) {
  std::vector<std::string> configure = {
      "cmake",
      "-S",
      request.source_dir,
      "-B",
      build,
      "-DCMAKE_BUILD_TYPE=Release",
      "-DCMAKE_CXX_COMPILER=" + FindProgram(request.compiler).value_or(request.compiler)};
  if (!request.installation.cmake_dir.empty()) configure.push_back("-DHeadrace_DIR=" + request.installation.cmake_dir);
  HEADRACE_TRY(RunStep(run, std::move(configure), request.source_dir, build));
  HEADRACE_TRY(RunStep(run, {"cmake", "--build", build, "--parallel", std::to_string(std::max(request.parallel, 1))},
                       request.source_dir, build));
  return TakeExecutable(request, build);
}

// What the compiler reads is in the key already, or among what is looked at again each time.
CompilerReads ReadsOf(const CompileRequest& request, const HeldDirectory& build) {
  std::vector<std::string> in_key = {build.path(), request.installation.include_dir};
  if (CountsWhole(request)) in_key.push_back(request.source_dir);
  return CompilerReads(std::move(in_key));
}

// Of another one's files, those of the system; of this user's own program, all.
std::vector<std::string> TrustedReads(const CompileRequest& request) {
  return request.whole_tree ? std::vector<std::string>{"/usr", "/opt"} : std::vector<std::string>{"/"};
}

}  // namespace

bool IsCppSource(std::string_view file_name) {
  return file_name.ends_with(".cpp") || file_name.ends_with(".cc") || file_name.ends_with(".cxx");
}

Result<CompiledProgram> Compile(const CompileRequest& request, const RunCompiler& run,
                                const std::function<bool()>& cancelled) {
  HEADRACE_ASSIGN(const auto cache, ProgramCache::Open(request.cache_dir));
  HEADRACE_ASSIGN(const auto key, CacheKey(request));
  if (const auto found = cache.Find(key)) return CompiledProgram{*found, true};
  HEADRACE_ASSIGN(const auto lock, cache.Lock(key, cancelled));
  if (const auto found = cache.Find(key)) return CompiledProgram{*found, true};

  HEADRACE_ASSIGN(const auto build, cache.NewBuild(key));
  CompilerReads reads = ReadsOf(request, build);
  const auto compile = [&]() -> Result<std::string> {
    HEADRACE_TRY(IsCMakeProject(request) ? CompileProject(request, build.path(), run)
                                         : CompileFile(request, build.path(), run));
    HEADRACE_TRY(reads.Take(build, request.source_dir, TrustedReads(request)));
    return cache.Keep(key, build, reads.ToText());
  };
  auto compiled = compile();
  cache.RemoveBuild(key);
  if (!compiled) return tl::unexpected<Error>(std::move(compiled.error()));
  return CompiledProgram{std::move(*compiled), false};
}

}  // namespace headrace::jobs
