// Where in the trees of control groups this process may make groups of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace headrace::jobs {

struct CgroupPlaces {
  std::vector<std::string> version2;  // directories in which to make groups, best first
  std::string memory, tasks;          // the same for version 1's memory and pids; "": none
};

// A group that an administrator (a unit of systemd's, say) may have made beside the server's own, for us to make groups
// in.
inline constexpr std::string_view kJobsGroup = "headrace-jobs";

// The group, below its parent, into which a server moves itself: its parent is where groups for jobs are made.
inline constexpr std::string_view kServersGroup = "headrace-server";

// From the texts of /proc/self/mountinfo and /proc/self/cgroup.
CgroupPlaces FindCgroupPlaces(std::string_view mount_info, std::string_view own_groups);
CgroupPlaces FindCgroupPlaces();

}  // namespace headrace::jobs
