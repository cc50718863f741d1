// Where this installation of Headrace keeps what C++ programs are compiled against.
#pragma once

#include <string>

namespace headrace::jobs {

struct Installation {
  std::string include_dir;      // holds headrace/keras.h
  std::string library_dir;      // holds libheadrace.so and libheadrace_horovod.so
  std::string cmake_dir;        // holds HeadraceConfig.cmake
  std::string init;             // the program src/apps/job_init/job_init.cc
  std::string supervisor;       // the program src/apps/supervise/supervise.cc
  std::string mpi_include_dir;  // holds mpi.h, where it is installed
  std::string python_dir;       // holds NAME/NAME, packages of Python's that stand in where the real ones are absent
};

// Found from the `headrace` program's own path: beside it when it is installed, in the source and build trees before.
Installation FindInstallation(const std::string& headrace_binary);

}  // namespace headrace::jobs
