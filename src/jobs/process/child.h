// Child: a process started with pipes on its output and the limits of a job.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/descriptor.h"
#include "base/result.h"

namespace headrace::jobs {

// A directory that the program sees in another place, too.
struct Bind {
  std::string source, target;
};

// As many as Docker gives a container: SageMaker's own reader of Pipe mode keeps one open for every epoch that it has
// read.
inline constexpr unsigned kMostDescriptors = 1U << 20;
// What a program may have: these, or fewer where this machine gives fewer.
uint64_t MostDescriptors();

struct Command {
  std::vector<std::string> arguments;              // [0] is the program's absolute path: nothing is looked up
  std::map<std::string, std::string> environment;  // all of it
  std::string directory;                           // to run in; "" stays
  std::vector<int> cpus;                           // empty: all
  int passed_descriptor = -1;                      // becomes descriptor 3 of the program
  std::vector<int> more_descriptors;               // become descriptors 4, 5, … of the program
  std::vector<std::string> texts;                  // what the program reads from the descriptors behind these
  std::vector<Bind> binds;                         // seen by the program alone; only root can have them
  std::function<Status()> prepare;                 // called right before the start, which its error prevents
  std::vector<std::string> groups;                 // files of control groups that it enters (jobs/limits/cgroup.h)
};

struct Child {
  pid_t pid = -1;
  Descriptor process;        // pidfd: readable when the process has ended
  Descriptor output, error;  // its standard output and error, non-blocking
};

// The child leads a session of its own, reads nothing from standard input, is the kernel's first choice when memory
// runs out, leaves no core file, has at most MostDescriptors() descriptors open, and is killed when the calling thread
// dies. Of this process's descriptors it has those of the command and no others. kNotFound when the program cannot be
// executed, kInvalidArgument when its path is not absolute.
Result<Child> StartChild(const Command& command);

}  // namespace headrace::jobs
