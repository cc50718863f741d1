// headrace-supervise JOBDIR HOST: the process that runs one host of a training job. A program of its own, because a job
// waits for it to be loaded: it links no more than src/jobs/supervisor needs.
#include <cstdio>
#include <exception>

#include "jobs/supervisor/supervisor.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: headrace-supervise JOBDIR HOST\nStarted by headrace serve for each host of a job.\n");
    return 2;
  }
  try {
    const auto supervised = headrace::jobs::Supervise(argv[1], argv[2]);
    if (supervised) return 0;
    std::fprintf(stderr, "headrace-supervise: %s\n", supervised.error().message().c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "headrace-supervise: %s\n", error.what());
  }
  return 1;
}
