// Interpreter: a Python of this machine, and what it has, found out by starting it once. Nothing that is installed is
// imported: a framework takes seconds for that.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace headrace::jobs {

struct Interpreter {
  std::string program;                         // as it names itself; "" without one
  std::string version;                         // "3.11.2"
  std::vector<std::string> paths;              // outside of /usr, that it needs to be seen
  std::map<std::string, std::string> modules;  // of those that matter here, with their versions; "": not known
  std::vector<std::string> places;             // where its packages lie

  bool Has(const std::string& module) const { return modules.count(module) != 0; }
  std::string VersionOf(const std::string& module) const;  // "" when it has none, or does not say
};

// The interpreter behind a configured name, which may be a wrapper script. Takes as long as starting it once.
// kNotFound when there is no such program, kFailedPrecondition when it does not run or is older than Python 3.5.
Result<Interpreter> ProbeInterpreter(const std::string& configured);

// Changes when packages are installed or removed: what was found out before holds no longer.
std::string StampOf(const Interpreter& interpreter);

}  // namespace headrace::jobs
