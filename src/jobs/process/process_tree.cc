#include "jobs/process/process_tree.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/descriptor.h"

namespace headrace::jobs {
namespace {

// A file of /proc; "" when the process is gone.
std::string ReadProc(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return "";
  std::string text;
  char chunk[4096];
  for (ssize_t n; (n = ::read(file.get(), chunk, sizeof chunk)) > 0;) text.append(chunk, static_cast<size_t>(n));
  return text;
}

std::vector<pid_t> NumbersIn(const std::string& directory) {
  std::vector<pid_t> numbers;
  DIR* entries = ::opendir(directory.c_str());
  if (entries == nullptr) return numbers;
  while (const dirent* entry = ::readdir(entries))
    if (const int number = std::atoi(entry->d_name); number > 0) numbers.push_back(number);
  ::closedir(entries);
  return numbers;
}

// The fields of /proc/PID/stat behind the command, which may hold anything: field 3 comes first.
std::vector<std::string_view> StatFields(const std::string& stat) {
  std::vector<std::string_view> fields;
  const auto command_end = stat.rfind(')');
  if (command_end == std::string::npos) return fields;
  std::string_view rest = std::string_view(stat).substr(command_end + 1);
  while (!rest.empty()) {
    const auto begin = rest.find_first_not_of(" \n");
    if (begin == std::string_view::npos) break;
    rest.remove_prefix(begin);
    const auto end = std::min(rest.find_first_of(" \n"), rest.size());
    fields.push_back(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  return fields;
}

uint64_t Number(std::string_view text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void ParseNumbers(const std::string& text, std::vector<pid_t>& into) {
  const char* at = text.c_str();
  char* end = nullptr;
  for (long number; (number = std::strtol(at, &end, 10)) > 0 && end != at; at = end)
    into.push_back(static_cast<pid_t>(number));
}

bool KernelListsChildren() {
  return ::access("/proc/self/task", F_OK) == 0 &&
         ::access(("/proc/self/task/" + std::to_string(::getpid()) + "/children").c_str(), R_OK) == 0;
}

std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  const std::string tasks = "/proc/" + std::to_string(parent) + "/task";
  for (const pid_t task : NumbersIn(tasks))
    ParseNumbers(ReadProc(tasks + "/" + std::to_string(task) + "/children"), children);
  return children;
}

std::multimap<pid_t, pid_t> AllChildren() {
  std::multimap<pid_t, pid_t> children;
  for (const pid_t pid : AllProcesses()) children.emplace(ParentOf(pid), pid);
  return children;
}

}  // namespace

std::vector<pid_t> AllProcesses() {
  auto processes = NumbersIn("/proc");
  std::sort(processes.begin(), processes.end());
  return processes;
}

pid_t ParentOf(pid_t pid) {
  const auto stat = ReadProc("/proc/" + std::to_string(pid) + "/stat");
  const auto fields = StatFields(stat);
  return fields.size() > 1 ? static_cast<pid_t>(Number(fields[1])) : 0;
}

std::vector<pid_t> Descendants(pid_t root) {
  std::optional<std::multimap<pid_t, pid_t>> all;
  if (!KernelListsChildren()) all = AllChildren();
  std::vector<pid_t> found;
  for (size_t next = 0; next <= found.size(); ++next) {
    const pid_t parent = next == 0 ? root : found[next - 1];
    if (all) {
      for (auto [at, end] = all->equal_range(parent); at != end; ++at) found.push_back(at->second);
    } else {
      const auto children = ChildrenOf(parent);
      found.insert(found.end(), children.begin(), children.end());
    }
  }
  return found;
}

std::vector<pid_t> TreesOf(const std::vector<pid_t>& processes, std::string_view name) {
  const std::string wanted = std::string(name) + "\n";
  std::vector<pid_t> trees;
  for (const pid_t pid : processes) {
    if (ReadProc("/proc/" + std::to_string(pid) + "/comm") != wanted) continue;
    trees.push_back(pid);
    const auto below = Descendants(pid);
    trees.insert(trees.end(), below.begin(), below.end());
  }
  return trees;
}

TreeUsage UsageOf(const std::vector<pid_t>& processes) {
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  TreeUsage usage;
  for (const pid_t pid : processes) {
    const auto stat = ReadProc("/proc/" + std::to_string(pid) + "/stat");
    const auto fields = StatFields(stat);
    if (fields.size() < 22) continue;
    // Fields 14 to 17 are utime, stime, cutime, cstime; 24 is rss in pages.
    for (size_t field = 11; field <= 14; ++field) usage.cpu_ticks += Number(fields[field]);
    usage.resident_bytes += Number(fields[21]) * page;
    usage.threads += static_cast<int>(Number(fields[17]));  // field 20
    ++usage.processes;
  }
  return usage;
}

uint64_t ProportionalBytes(const std::vector<pid_t>& processes, bool without_shared_memory) {
  uint64_t bytes = 0;
  for (const pid_t pid : processes) {
    const auto rollup = ReadProc("/proc/" + std::to_string(pid) + "/smaps_rollup");
    const auto kib = [&rollup](const char* name) -> uint64_t {
      const auto at = rollup.find(name);
      return at == std::string::npos ? 0 : std::strtoull(rollup.c_str() + rollup.find(':', at) + 1, nullptr, 10);
    };
    const uint64_t all = kib("\nPss:"), shared = without_shared_memory ? kib("\nPss_Shmem:") : 0;
    bytes += (all - std::min(all, shared)) * 1024;
  }
  return bytes;
}

}  // namespace headrace::jobs
