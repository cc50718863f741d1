// What a sandbox shows of the system: a list of what programs need, and nothing besides.
#pragma once

#include <string>
#include <vector>

namespace headrace::jobs {

// A file that the sandbox makes.
struct MadeFile {
  std::string path, text;
};

struct SystemView {
  std::vector<std::string> arguments;  // bubblewrap's
  std::vector<std::string> roots;      // directories of this machine that are shown, with all that is in them
  std::vector<MadeFile> made;
};

// Programs and libraries, the few files of /etc and /sys that they read, devices, /proc.
SystemView MakeSystemView();

bool IsBelow(const std::string& path, const std::string& parent);  // or the parent itself

}  // namespace headrace::jobs
