#include "jobs/runtime/installation.h"

#include <filesystem>

namespace headrace::jobs {

Installation FindInstallation(const std::string& headrace_binary) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const auto binary = fs::weakly_canonical(headrace_binary, ignored);
  const auto prefix = binary.parent_path().parent_path();
  if (prefix == fs::weakly_canonical(HEADRACE_BUILD_TREE, ignored))
    return {.include_dir = HEADRACE_SOURCE_TREE "/include",
            .library_dir = HEADRACE_BUILD_TREE "/lib",
            .cmake_dir = HEADRACE_BUILD_TREE,
            .init = HEADRACE_BUILD_TREE "/bin/headrace-job-init",
            .supervisor = HEADRACE_BUILD_TREE "/bin/headrace-supervise",
            .mpi_include_dir = HEADRACE_MPI_INCLUDE,
            .python_dir = HEADRACE_SOURCE_TREE "/python"};
  const auto libraries = prefix / HEADRACE_LIBDIR;
  const auto helpers = prefix / HEADRACE_LIBEXECDIR;
  return {.include_dir = prefix / "include",
          .library_dir = libraries,
          .cmake_dir = libraries / "cmake" / "Headrace",
          .init = helpers / "headrace-job-init",
          .supervisor = helpers / "headrace-supervise",
          .mpi_include_dir = HEADRACE_MPI_INCLUDE,
          .python_dir = prefix / HEADRACE_DATADIR / "headrace/python"};
}

}  // namespace headrace::jobs
