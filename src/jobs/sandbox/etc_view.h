// What of /etc a sandbox shows: copies of small files and directories, mounts of large ones.
#pragma once

#include <string>
#include <vector>

#include "jobs/sandbox/system_view.h"

namespace headrace::jobs {

struct EtcView {
  std::vector<std::string> arguments;  // bubblewrap's
  std::vector<MadeFile> files;
};

// No accounts, no services, no keys, and nothing that not everybody may read. What an administrator changes after the
// sandbox was made is not seen in it.
EtcView MakeEtcView();

}  // namespace headrace::jobs
