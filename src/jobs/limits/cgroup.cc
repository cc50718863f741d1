#include "jobs/limits/cgroup.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/file.h"
#include "base/log.h"
#include "jobs/limits/cgroup_places.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

constexpr const char* kGroupPrefix = "headrace-";
constexpr int kKillRounds = 1000, kRemoveRounds = 200;  // at 1 ms

bool WriteGroupFile(const std::string& path, const std::string& text) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string ReadGroupFile(const std::string& path) { return ReadFile(path, 1 << 20).value_or(""); }

// The number behind "NAME " at the begin of a line; 0 without one.
uint64_t ValueOf(const std::string& text, const std::string& name) {
  size_t at = text.starts_with(name + " ") ? 0 : text.find("\n" + name + " ");
  if (at == std::string::npos) return 0;
  at = text.find(' ', at);
  return std::strtoull(text.c_str() + at + 1, nullptr, 10);
}

bool HasWord(const std::string& text, const std::string& word) {
  const auto padded = " " + text + " ";
  const auto end = padded.find(" " + word);
  return end != std::string::npos && std::strchr(" \n", padded[end + 1 + word.size()]) != nullptr;
}

// "PID START" of a process, the same for no other since the machine started; "" when there is none.
std::string Identity(const std::string& pid) {
  const auto stat = ReadGroupFile("/proc/" + pid + "/stat");
  auto at = stat.rfind(')');
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat.find(' ', at + 1);
  if (at == std::string::npos) return "";
  return pid + "-" + stat.substr(at + 1, stat.find(' ', at + 1) - at - 1);
}

// Process ids mean something within their name space only.
std::string NameSpace() {
  struct stat status {};
  return ::stat("/proc/self/ns/pid", &status) == 0 ? std::to_string(status.st_ino) : "0";
}

// "headrace-NAMESPACE-PID-START-N": whose group it is can be told from its name.
std::string NewGroupName() {
  static std::atomic<int> made = 0;
  return fmt::format("{}{}-{}-{}", kGroupPrefix, NameSpace(), Identity(std::to_string(::getpid())), ++made);
}

// Locks a group for as long as the descriptor is open; none when somebody else has locked it.
Descriptor LockGroup(const std::string& directory) {
  Descriptor lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) lock.Reset();
  return lock;
}

// Whether the process that made a group has ended. One that is not to be seen may live all the same: after the service
// was started again, its supervisors of before are in another user name space, and hidden in /proc. So the group is
// locked while its maker lives; the name protects one that is not locked yet.
bool IsLeft(const std::string& place, const std::string& name) {
  const auto prefix = kGroupPrefix + NameSpace() + "-";
  if (!name.starts_with(prefix)) return false;
  const auto rest = name.substr(prefix.size());
  const auto owner = rest.substr(0, rest.rfind('-'));
  return Identity(owner.substr(0, owner.find('-'))) != owner && LockGroup(place + "/" + name);
}

std::vector<pid_t> MembersOf(const std::string& directory) {
  std::vector<pid_t> members;
  const auto text = ReadGroupFile(directory + "/cgroup.procs");
  const char* at = text.c_str();
  char* end = nullptr;
  for (long pid; (pid = std::strtol(at, &end, 10)) > 0 && end != at; at = end)
    members.push_back(static_cast<pid_t>(pid));
  return members;
}

// Nothing new can start in the group while it is being emptied.
void EndMembers(const std::string& directory) {
  WriteGroupFile(directory + "/pids.max", "0");
  WriteGroupFile(directory + "/cgroup.kill", "1");
  for (int round = 0; round < kKillRounds; ++round) {
    const auto members = MembersOf(directory);
    if (members.empty()) return;
    for (const pid_t pid : members) ::kill(pid, SIGKILL);
    ::usleep(1000);
  }
}

void RemoveGroup(const std::string& directory) {
  for (int round = 0; ::rmdir(directory.c_str()) != 0 && errno == EBUSY && round < kRemoveRounds; ++round)
    ::usleep(1000);
}

// A new group below `place`, and its lock; "" where there can be none.
std::string MakeGroup(const std::string& place, std::vector<Descriptor>& locks) {
  if (place.empty()) return "";
  auto directory = place + "/" + NewGroupName();
  if (::mkdir(directory.c_str(), 0755) != 0) return "";
  locks.push_back(LockGroup(directory));
  return directory;
}

// Version 2: whether groups in `place` can have limits; arranges it where it may.
bool EnableControllers(const std::string& place) {
  const auto enabled = [&] {
    const auto now = ReadGroupFile(place + "/cgroup.subtree_control");
    return HasWord(now, "memory") && HasWord(now, "pids");
  };
  return enabled() || (WriteGroupFile(place + "/cgroup.subtree_control", "+memory +pids") && enabled());
}

// The kernel has processes only in leaves: this one makes way for the groups beside it.
bool MakeWay(const std::string& place) {
  const auto leaf = place + "/" + std::string(kServersGroup);
  if (::mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) return false;
  if (!WriteGroupFile(leaf + "/cgroup.procs", "0")) return false;
  if (EnableControllers(place)) return true;
  WriteGroupFile(place + "/cgroup.procs", "0");
  ::rmdir(leaf.c_str());
  return false;
}

// Whether a process of ours may enter a group by this file. Moving needs rights to more than the group itself, so one
// tries: it shares this process's memory while it does, for a copy would take longer than all the rest.
bool MayEnter(const std::string& entrance) {
  const char* const path = entrance.c_str();
  const pid_t pid = ::vfork();
  if (pid == 0) {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    ::_exit(file >= 0 && ::write(file, "0", 1) == 1 ? 0 : 1);
  }
  int status = 1;
  while (pid > 0 && ::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

Cgroup::Cgroup(const GroupLimits& limits) {
  if (limits.memory_bytes == 0 && limits.tasks == 0) return;
  if (!MakeVersion2(limits)) MakeVersion1(limits);
}

Cgroup::~Cgroup() {
  KillAll();
  if (limits_memory()) RemoveGroup(memory_);
  if (limits_tasks() && tasks_ != memory_) RemoveGroup(tasks_);
}

void Cgroup::Swap(Cgroup& other) noexcept {
  std::swap(version_, other.version_);
  memory_.swap(other.memory_);
  tasks_.swap(other.tasks_);
  entrances_.swap(other.entrances_);
  locks_.swap(other.locks_);
}

bool Cgroup::MakeVersion2(const GroupLimits& limits) {
  for (const auto& place : FindCgroupPlaces().version2) {
    const auto directory = MakeGroup(place, locks_);
    if (directory.empty()) continue;
    if (limits.memory_bytes != 0 && WriteGroupFile(directory + "/memory.max", std::to_string(limits.memory_bytes))) {
      WriteGroupFile(directory + "/memory.swap.max", "0");
      WriteGroupFile(directory + "/memory.oom.group", "1");
      memory_ = directory;
    }
    if (limits.tasks != 0 && WriteGroupFile(directory + "/pids.max", std::to_string(limits.tasks))) tasks_ = directory;
    entrances_ = {directory + "/cgroup.procs"};
    version_ = 2;
    if ((limits_memory() || limits_tasks()) && MayEnter(entrances_.front())) return true;
    memory_ = tasks_ = "";
    entrances_.clear();
    locks_.clear();
    RemoveGroup(directory);
  }
  return false;
}

void Cgroup::MakeVersion1(const GroupLimits& limits) {
  const auto places = FindCgroupPlaces();
  const auto make = [this](const std::string& place, const char* file, uint64_t limit) -> std::string {
    const auto directory = limit == 0 ? "" : MakeGroup(place, locks_);
    if (directory.empty()) return "";
    // A thread that moves itself waits for no lock; cgroup.procs, which moves all of a process, waits ten milliseconds
    // for the kernel to see that nothing else starts threads. Who enters has just been forked, and has one thread.
    const auto entrance = directory + "/tasks";
    if (WriteGroupFile(directory + "/" + file, std::to_string(limit)) && MayEnter(entrance)) {
      entrances_.push_back(entrance);
      version_ = 1;
      return directory;
    }
    RemoveGroup(directory);
    return "";
  };
  memory_ = make(places.memory, "memory.limit_in_bytes", limits.memory_bytes);
  if (limits_memory()) WriteGroupFile(memory_ + "/memory.memsw.limit_in_bytes", std::to_string(limits.memory_bytes));
  tasks_ = make(places.tasks, "pids.max", limits.tasks);
}

uint64_t Cgroup::MemoryBytes() const {
  if (!limits_memory()) return 0;
  const auto stat = ReadGroupFile(memory_ + "/memory.stat");
  if (version_ == 1) return ValueOf(stat, "total_rss") + ValueOf(stat, "total_shmem");
  return ValueOf(stat, "anon") + ValueOf(stat, "shmem") + ValueOf(stat, "kernel_stack") + ValueOf(stat, "pagetables") +
         ValueOf(stat, "slab_unreclaimable");
}

uint64_t Cgroup::OomKills() const {
  if (!limits_memory()) return 0;
  return ValueOf(ReadGroupFile(memory_ + (version_ == 2 ? "/memory.events" : "/memory.oom_control")), "oom_kill");
}

uint64_t Cgroup::RefusedForks() const {
  return limits_tasks() ? ValueOf(ReadGroupFile(tasks_ + "/pids.events"), "max") : 0;
}

void Cgroup::KillAll() const {
  for (const auto& directory : {tasks_, memory_})
    if (!directory.empty()) EndMembers(directory);
}

void Cgroup::PrepareMachine() {
  const auto places = FindCgroupPlaces().version2;
  if (places.empty()) return;
  if (EnableControllers(places[0])) return;
  const auto available = ReadGroupFile(places[1] + "/cgroup.controllers");
  // systemd could not start a service again whose group has groups with controllers: there, the unit makes places[0].
  const bool is_service = places[1].ends_with(".service");
  if (HasWord(available, "memory") && HasWord(available, "pids") && !is_service &&
      (EnableControllers(places[1]) || MakeWay(places[1])))
    return;
  // Root may have a part of the tree beside all others.
  const auto& own = places.back();
  if (::mkdir(own.c_str(), 0755) != 0 && errno != EEXIST) return;
  if (!EnableControllers(own)) ::rmdir(own.c_str());
}

void Cgroup::RemoveLeft() {
  const auto found = FindCgroupPlaces();
  auto places = found.version2;
  places.insert(places.end(), {found.memory, found.tasks});
  for (const auto& place : places) {
    std::error_code ignored;
    if (place.empty()) continue;
    for (const auto& entry : fs::directory_iterator(place, ignored)) {
      const auto name = entry.path().filename().string();
      if (!IsLeft(place, name)) continue;
      EndMembers(entry.path());
      RemoveGroup(entry.path());
    }
  }
}

}  // namespace headrace::jobs
