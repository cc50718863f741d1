// The C++ runtime: compiles an entry point, or the CMake project around it, once for each content. Compiled programs
// are shared by all jobs of a cache directory; jobs that need the same one at the same time compile it once.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "jobs/process/child.h"
#include "jobs/runtime/installation.h"

namespace headrace::jobs {

struct CompileRequest {
  std::string source_dir;   // on this machine
  std::string entry_point;  // relative to it: "keras_cifar10.cpp"
  std::string compiler = "g++";
  Installation installation;
  std::string cache_dir;
  int parallel = 1;
  // Whether everything below source_dir may matter to the program. If not: the sources and headers right in it.
  bool whole_tree = true;
};

struct CompiledProgram {
  std::string path;  // in the cache; never changes once it is there
  bool from_cache = false;
};

// Runs a compiler command whose paths are those of this machine; it reads the source and writes to `build`. True when
// it succeeded; what it says goes where the caller likes. An error means that it could not be run, or that the job is
// being stopped.
using RunCompiler = std::function<Result<bool>(const Command&, const std::string& build)>;

// kInvalidArgument when the program does not compile.
Result<CompiledProgram> Compile(const CompileRequest& request, const RunCompiler& run,
                                const std::function<bool()>& cancelled);

bool IsCppSource(std::string_view file_name);

}  // namespace headrace::jobs
