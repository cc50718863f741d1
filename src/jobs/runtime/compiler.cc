#include "jobs/runtime/compiler.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/file.h"
#include "jobs/process/find_program.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

// Programs are glue around libheadrace, whose kernels pick their instructions at run time: nothing is gained, and a
// cache shared by unlike machines is lost, by -march=native.
constexpr const char* kFlags[] = {"-std=c++20", "-O2", "-pthread"};

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void Add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  // With its length, so that neighbours cannot be mistaken for each other.
  void AddField(std::string_view text) {
    Add(fmt::format("{}:", text.size()));
    Add(text);
  }
  std::string Hex() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), digest, &size);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
    return hex;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

Status AddTree(const std::string& directory, Sha256& hash) {
  std::vector<std::string> names;
  std::error_code error;
  fs::recursive_directory_iterator at(directory, error), end;
  for (; !error && at != end; at.increment(error))
    if (!at->is_directory()) names.push_back(at->path().lexically_relative(directory).string());
  if (error) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot list: {}", directory, error.message());
  std::sort(names.begin(), names.end());
  for (const auto& name : names) {
    const auto path = directory + "/" + name;
    hash.AddField(name);
    if (fs::is_symlink(path)) {
      hash.AddField(fs::read_symlink(path, error).string());
    } else if (fs::is_regular_file(path)) {
      HEADRACE_ASSIGN(const auto bytes, ReadFile(path));
      hash.AddField(bytes);
    }
  }
  return {};
}

bool IsSourceOrHeader(const fs::path& path) {
  for (const char* ending : {".h", ".hpp", ".hh", ".inc", ".cpp", ".cc", ".cxx"})
    if (path.extension() == ending) return true;
  return false;
}

Status AddSources(const std::string& directory, Sha256& hash) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error))
    if (IsSourceOrHeader(entry.path()) && entry.is_regular_file()) paths.push_back(entry.path());
  if (error) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot list: {}", directory, error.message());
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    HEADRACE_ASSIGN(const auto bytes, ReadFile(path));
    hash.AddField(path);
    hash.AddField(bytes);
  }
  return {};
}

// What tells one build of a file from the next: compilers and libraries are not read through.
std::string Identity(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return path + " absent";
  return fmt::format("{} {} {}.{}", path, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

bool IsCMakeProject(const CompileRequest& request) { return fs::exists(request.source_dir + "/CMakeLists.txt"); }

Result<std::string> CacheKey(const CompileRequest& request) {
  Sha256 hash;
  hash.AddField("headrace program 1");
  hash.AddField(request.entry_point);
  for (const char* flag : kFlags) hash.AddField(flag);
  hash.AddField(Identity(fs::weakly_canonical(FindProgram(request.compiler).value_or(request.compiler)).string()));
  hash.AddField(Identity(request.installation.library_dir + "/libheadrace.so"));
  HEADRACE_TRY(AddTree(request.installation.include_dir + "/headrace", hash));
  HEADRACE_TRY(request.whole_tree || IsCMakeProject(request) ? AddTree(request.source_dir, hash)
                                                             : AddSources(request.source_dir, hash));
  return hash.Hex();
}

// Waits for whoever compiles the same program now.
Result<Descriptor> LockEntry(const std::string& path, const std::function<bool()>& cancelled) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot open: {}", path, std::strerror(errno));
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return Fail(ErrorCode::kFailedPrecondition, "{}: cannot lock: {}", path, std::strerror(errno));
    if (cancelled()) return Fail(ErrorCode::kUnavailable, "cancelled while another job compiles the same program");
    ::usleep(20'000);
  }
  return file;
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
  if (fs::exists(library + "/libheadrace.so"))
    arguments.insert(arguments.end(), {"-L", library, "-lheadrace", "-Wl,-rpath," + library});
  if (FindProgram("ld.mold")) arguments.push_back("-fuse-ld=mold");
  return RunStep(run, std::move(arguments), request.source_dir, build);
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
  const auto stem = fs::path(request.entry_point).stem().string();
  std::error_code error;
  for (fs::recursive_directory_iterator at(build, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename() == "CMakeFiles") at.disable_recursion_pending();
    if (at->path().filename() != stem || at->is_symlink() || !at->is_regular_file() ||
        ::access(at->path().c_str(), X_OK) != 0)
      continue;
    if (at->path() == build + "/program") return {};
    fs::rename(at->path(), build + "/program", error);
    if (error)
      return Fail(ErrorCode::kFailedPrecondition, "cannot take the program out of its build directory: {}",
                  error.message());
    return {};
  }
  return Fail(ErrorCode::kInvalidArgument, "CMakeLists.txt builds no executable named '{}', after the entry point {}",
              stem, request.entry_point);
}

}  // namespace

bool IsCppSource(std::string_view file_name) {
  return file_name.ends_with(".cpp") || file_name.ends_with(".cc") || file_name.ends_with(".cxx");
}

Result<CompiledProgram> Compile(const CompileRequest& request, const RunCompiler& run,
                                const std::function<bool()>& cancelled) {
  HEADRACE_ASSIGN(const auto key, CacheKey(request));
  const auto cache = request.cache_dir + "/programs";
  const auto entry = cache + "/" + key;
  const auto program = entry + "/program";
  if (::access(program.c_str(), X_OK) == 0) return CompiledProgram{program, true};
  HEADRACE_TRY(MakeDirectories(cache));
  HEADRACE_ASSIGN(const auto lock, LockEntry(cache + "/" + key + ".lock", cancelled));
  if (::access(program.c_str(), X_OK) == 0) return CompiledProgram{program, true};

  const auto build = cache + "/" + key + ".build";
  std::error_code error;
  fs::remove_all(build, error);
  HEADRACE_TRY(MakeDirectories(build));
  auto compiled = IsCMakeProject(request) ? CompileProject(request, build, run) : CompileFile(request, build, run);
  if (compiled) {
    HEADRACE_TRY(MakeDirectories(entry));
    fs::rename(build + "/program", program, error);
    if (error)
      compiled = Fail(ErrorCode::kFailedPrecondition, "{}: cannot move into the cache: {}", program, error.message());
  }
  fs::remove_all(build, error);
  if (!compiled) return tl::unexpected<Error>(std::move(compiled.error()));
  return CompiledProgram{program, false};
}

}  // namespace headrace::jobs
