// Makes Python environments: a venv of the machine's Python, and what pip installs into it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "jobs/python/framework.h"

namespace headrace::apps {

struct NewEnvironment {
  std::string base;       // the interpreter that it is made of: a name or a path
  std::string directory;  // where; what an earlier try has left there goes
  jobs::FrameworkSpec framework;
  std::vector<std::string> more;  // further requirements, as pip reads them
  bool quiet = false;             // standard output is kept free: the programs' goes to standard error
};

// What the programs print is seen by whoever waits. Returns the new interpreter's path. An error says what helps, and
// leaves no directory behind.
Result<std::string> MakeEnvironment(const NewEnvironment& wanted);

// "tensorflow==2.21.*" for 2.21: of a version that is told by two numbers the newest.
std::string RequirementOf(const jobs::FrameworkSpec& framework);

}  // namespace headrace::apps
