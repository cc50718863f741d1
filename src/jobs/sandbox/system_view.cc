#include "jobs/sandbox/system_view.h"

#include <array>
#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>

#include "jobs/sandbox/etc_view.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

// Programs and libraries. They are the same for everybody who may log in, and hold no secrets but for the two below.
constexpr std::array kPrograms = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store"};
// Settings that an administrator keeps below /usr.
constexpr std::array kLocalSettings = {"/usr/local/etc", "/usr/etc"};

// Of /sys: how many processors and memory nodes there are, which libraries of threads and memory ask.
constexpr std::array kSys = {"/sys/devices/system/cpu", "/sys/devices/system/node",
                             "/sys/kernel/mm/transparent_hugepage"};
constexpr std::array kSysOfNvidia = {"/sys/bus/pci", "/sys/module/nvidia", "/sys/module/nvidia_uvm",
                                     "/sys/devices/pci0000:00"};

// Of /proc: what root may read or write even without capabilities, and what tells of the machine's other users.
constexpr std::array kProcReadOnly = {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"};
constexpr std::array kProcHidden = {
    "/proc/kcore",       "/proc/keys",       "/proc/key-users",  "/proc/latency_stats", "/proc/timer_list",
    "/proc/sched_debug", "/proc/kpagecount", "/proc/kpageflags", "/proc/kpagecgroup",   "/proc/slabinfo",
    "/proc/vmallocinfo", "/proc/iomem",      "/proc/ioports"};
constexpr std::array kProcEmptied = {"/proc/acpi", "/proc/scsi", "/proc/asound"};

class Builder {
 public:
  SystemView Take() { return std::move(view_); }

  void Programs() {
    std::error_code ignored;
    for (const char* path : kPrograms) {
      if (fs::is_symlink(path, ignored)) {
        Add({"--symlink", fs::read_symlink(path, ignored).string(), path});
      } else if (fs::exists(path, ignored)) {
        Add({"--ro-bind", path, path});
        view_.roots.emplace_back(path);
      }
    }
    for (const char* path : kLocalSettings)
      if (fs::is_directory(path, ignored)) Add({"--tmpfs", path});
  }

  void Etc() {
    Add({"--dir", "/etc"});
    auto etc = MakeEtcView();
    Add(etc.arguments);
    view_.made = std::move(etc.files);
    view_.made.push_back({"/etc/passwd", Passwd()});
    view_.made.push_back({"/etc/group", Group()});
  }

  void Sys() {
    for (const char* path : kSys) Add({"--ro-bind-try", path, path});
    if (!HasNvidia()) return;
    for (const char* path : kSysOfNvidia) Add({"--ro-bind-try", path, path});
  }

  void Devices() {
    Add({"--dev", "/dev"});
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/dev", ignored))
      if (IsNvidia(entry)) Add({"--dev-bind", entry.path(), entry.path()});
  }

  void Proc() {
    Add({"--proc", "/proc"});
    std::error_code ignored;
    for (const char* path : kProcReadOnly) Add({"--ro-bind-try", path, path});
    for (const char* path : kProcHidden)
      if (::access(path, R_OK) == 0) Add({"--ro-bind", "/dev/null", path});
    for (const char* path : kProcEmptied)
      if (fs::is_directory(path, ignored)) Add({"--tmpfs", path, "--remount-ro", path});
  }

 private:
  void Add(const std::vector<std::string>& arguments) {
    view_.arguments.insert(view_.arguments.end(), arguments.begin(), arguments.end());
  }

  static bool IsNvidia(const fs::directory_entry& entry) {
    return entry.path().filename().string().starts_with("nvidia");
  }
  static bool HasNvidia() {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/dev", ignored))
      if (IsNvidia(entry)) return true;
    return false;
  }

  // Whoever runs the platform has a name, and nobody else.
  static std::string Passwd() {
    std::string text = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n";
    if (const uid_t user = ::geteuid(); user != 0 && user != 65534)
      text += fmt::format("job:x:{}:{}:job:/root:/bin/sh\n", user, ::getegid());
    return text;
  }
  static std::string Group() {
    std::string text = "root:x:0:\nnogroup:x:65534:\n";
    if (const gid_t group = ::getegid(); group != 0 && group != 65534) text += fmt::format("job:x:{}:\n", group);
    return text;
  }

  SystemView view_;
};

}  // namespace

bool IsBelow(const std::string& path, const std::string& parent) {
  return path == parent || (path.starts_with(parent) && (parent.ends_with('/') || path[parent.size()] == '/'));
}

SystemView MakeSystemView() {
  Builder builder;
  builder.Programs();
  builder.Etc();
  builder.Sys();
  builder.Devices();
  builder.Proc();
  return builder.Take();
}

}  // namespace headrace::jobs
