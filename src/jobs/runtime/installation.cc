#include "jobs/runtime/installation.h"

#include <filesystem>

namespace headrace::jobs {

Installation FindInstallation(const std::string& headrace_binary) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const auto binary = fs::weakly_canonical(headrace_binary, ignored);
  const auto prefix = binary.parent_path().parent_path();
  if (prefix == fs::weakly_canonical(HEADRACE_BUILD_TREE, ignored))
    return {HEADRACE_SOURCE_TREE "/include",
            HEADRACE_BUILD_TREE "/lib",
            HEADRACE_BUILD_TREE,
            HEADRACE_BUILD_TREE "/bin/headrace-job-init",
            HEADRACE_MPI_INCLUDE,
            HEADRACE_SOURCE_TREE "/python"};
  const auto libraries = prefix / HEADRACE_LIBDIR;
  return {prefix / "include",
          libraries,
          libraries / "cmake" / "Headrace",
          prefix / HEADRACE_LIBEXECDIR / "headrace-job-init",
          HEADRACE_MPI_INCLUDE,
          prefix / HEADRACE_DATADIR / "headrace/python"};
}

}  // namespace headrace::jobs
