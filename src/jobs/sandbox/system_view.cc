#include "jobs/sandbox/system_view.h"

#include <array>
#include <filesystem>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

// Programs and libraries. They are the same for everybody who may log in, and hold no secrets but for the two below.
constexpr std::array kPrograms = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store"};
// Settings that an administrator keeps below /usr.
constexpr std::array kLocalSettings = {"/usr/local/etc", "/usr/etc"};

// Of /etc: how names are resolved and certificates checked, where libraries lie, what /usr/bin's links mean, the time
// zone, and what interpreters read at their start. No accounts, no services, no keys.
constexpr std::array kEtc = {"alternatives",
                             "bash.bashrc",
                             "ca-certificates",
                             "ca-certificates.conf",
                             "crypto-policies",
                             "debian_version",
                             "fonts",
                             "gai.conf",
                             "glvnd",
                             "host.conf",
                             "hosts",
                             "inputrc",
                             "java-17-openjdk",
                             "ld.so.cache",
                             "ld.so.conf",
                             "ld.so.conf.d",
                             "locale.alias",
                             "locale.conf",
                             "localtime",
                             "lsb-release",
                             "magic",
                             "magic.mime",
                             "matplotlibrc",
                             "mime.types",
                             "networks",
                             "nsswitch.conf",
                             "OpenCL",
                             "openmpi",
                             "os-release",
                             "perl",
                             "pip.conf",
                             "pki/ca-trust",
                             "pki/tls/cert.pem",
                             "pki/tls/certs",
                             "profile",
                             "profile.d",
                             "protocols",
                             "python3",
                             "python3.10",
                             "python3.11",
                             "python3.12",
                             "python3.13",
                             "python3.9",
                             "redhat-release",
                             "resolv.conf",
                             "rpc",
                             "services",
                             "shells",
                             "ssl/cert.pem",
                             "ssl/certs",
                             "ssl/openssl.cnf",
                             "static",
                             "terminfo",
                             "timezone"};

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

// Also for those who are not root: a program of the server's own user is not to see what others may not.
bool MayAnybodyRead(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return false;
  return (status.st_mode & S_IROTH) != 0 && (!S_ISDIR(status.st_mode) || (status.st_mode & S_IXOTH) != 0);
}

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
    for (const char* name : kEtc) Setting(std::string("/etc/") + name);
    view_.made = {{"/etc/passwd", Passwd()}, {"/etc/group", Group()}};
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
      if (fs::exists(path, ignored)) Add({"--ro-bind", "/dev/null", path});
    for (const char* path : kProcEmptied)
      if (fs::is_directory(path, ignored)) Add({"--tmpfs", path, "--remount-ro", path});
  }

 private:
  void Add(std::initializer_list<std::string> arguments) {
    view_.arguments.insert(view_.arguments.end(), arguments.begin(), arguments.end());
  }

  // A link into what is shown stays a link: its name may say something, as a time zone's does.
  void Setting(const std::string& path) {
    std::error_code ignored;
    if (!MayAnybodyRead(path)) return;
    const auto real = fs::canonical(path, ignored).string();
    if (fs::is_symlink(path, ignored) && IsBelow(real, "/usr"))
      Add({"--symlink", real, path});
    else
      Add({"--ro-bind", path, path});
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
