// The Python that runs entry points.
#pragma once

#include <string>
#include <vector>

namespace headrace::jobs {

struct Python {
  std::string program;             // resolved interpreter; "" without one
  std::vector<std::string> paths;  // outside of /usr, that it needs to be seen
};

// The interpreter behind the configured name (which may be a wrapper script) and the trees it needs. Takes as long as
// starting it once.
Python FindPython(const std::string& configured);

}  // namespace headrace::jobs
