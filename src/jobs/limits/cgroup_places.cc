#include "jobs/limits/cgroup_places.h"

#include "base/file.h"

namespace headrace::jobs {
namespace {

constexpr size_t kLongestProcFile = size_t{4} << 20;

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

bool Lists(std::string_view list, std::string_view wanted) {
  for (const auto part : Split(list, ','))
    if (part == wanted) return true;
  return false;
}

// A mounted tree: what is mounted of it (`root`), where, of which version, with which controllers.
struct MountedTree {
  std::string_view root, place, type, options;
};

std::vector<MountedTree> MountedTrees(std::string_view mount_info) {
  std::vector<MountedTree> trees;
  for (const auto line : Split(mount_info, '\n')) {
    const auto dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    const auto before = Split(line.substr(0, dash), ' '), after = Split(line.substr(dash + 3), ' ');
    if (before.size() < 6 || after.size() < 3) continue;
    if (after[0] == "cgroup" || after[0] == "cgroup2") trees.push_back({before[3], before[4], after[0], after[2]});
  }
  return trees;
}

// This process's group in the tree of `controller` ("" is version 2).
std::string_view OwnGroup(std::string_view own_groups, std::string_view controller) {
  for (const auto line : Split(own_groups, '\n')) {
    const auto first = line.find(':');
    const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? controllers.empty() : Lists(controllers, controller)) return line.substr(second + 1);
  }
  return "/";
}

// The group's directory: a container sees a part of the tree mounted, and may be told of the whole path.
std::string DirectoryOf(const MountedTree& tree, std::string_view group) {
  if (tree.root != "/" && group.substr(0, tree.root.size()) == tree.root) group.remove_prefix(tree.root.size());
  std::string directory(tree.place);
  if (group.empty() || group == "/" || group.substr(0, 3) == "/..") return directory;
  return directory.append(group);
}

}  // namespace

CgroupPlaces FindCgroupPlaces(std::string_view mount_info, std::string_view own_groups) {
  CgroupPlaces places;
  for (const auto& tree : MountedTrees(mount_info)) {
    if (tree.type == "cgroup2") {
      std::string own = DirectoryOf(tree, OwnGroup(own_groups, ""));
      if (const auto slash = own.rfind('/'); own.substr(slash + 1) == kServersGroup) own.resize(slash);
      const auto parent = own.size() > tree.place.size() ? own.substr(0, own.rfind('/')) : own;
      places.version2 = {parent + "/" + std::string(kJobsGroup), own, std::string(tree.place) + "/headrace"};
    } else if (Lists(tree.options, "memory")) {
      places.memory = DirectoryOf(tree, OwnGroup(own_groups, "memory"));
    } else if (Lists(tree.options, "pids")) {
      places.tasks = DirectoryOf(tree, OwnGroup(own_groups, "pids"));
    }
  }
  return places;
}

CgroupPlaces FindCgroupPlaces() {
  return FindCgroupPlaces(ReadFile("/proc/self/mountinfo", kLongestProcFile).value_or(""),
                          ReadFile("/proc/self/cgroup", kLongestProcFile).value_or(""));
}

}  // namespace headrace::jobs
