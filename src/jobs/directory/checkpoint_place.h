// Where the directory that a job names for its checkpoints (CheckpointConfig.LocalPath) lies on its host.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace headrace::jobs {

struct CheckpointPlace {
  std::string below_host;  // the directory, below HostDirectory::files()
  bool mounted = false;    // the sandbox has to show it at LocalPath; without one the program does not see it there
};

// Paths below /opt/ml, /tmp and /root lie in directories that the job has anyway. Any other is a mount of its own; none
// for one that would cover something of the system's or the platform's, and for what is no absolute path of single
// parts (a slash at the end is allowed).
std::optional<CheckpointPlace> PlaceOfCheckpoints(std::string_view local_path);

}  // namespace headrace::jobs
