#include "jobs/sandbox/etc_view.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <vector>

#include <sys/stat.h>

#include "base/file.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

// How names are resolved and certificates checked, where libraries lie, what /usr/bin's links mean, the time
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

// What is larger is mounted. A copied file costs a tenth of a mount, because bubblewrap reads the list of all mounts
// after each one.
constexpr size_t kMostEntries = 64;
constexpr uint64_t kMostBytes = uint64_t{256} << 10;

// Also for those who are not root: a program of the server's own user is not to see what others may not.
bool MayAnybodyRead(const struct stat& status) {
  return (status.st_mode & S_IROTH) != 0 && (!S_ISDIR(status.st_mode) || (status.st_mode & S_IXOTH) != 0);
}

// What a copy of one entry, with all that is in it, adds to the view. Links in it stay links, and what not everybody
// may read is left out.
class Copy {
 public:
  // False when it is too large, or holds what cannot be copied.
  bool Take(const std::string& path) {
    struct stat status {};
    if (++entries_ > kMostEntries || ::stat(path.c_str(), &status) != 0) return false;
    if (!MayAnybodyRead(status)) return true;
    if (S_ISDIR(status.st_mode)) return TakeDirectory(path);
    return S_ISREG(status.st_mode) && TakeFile(path, static_cast<uint64_t>(status.st_size));
  }

  void AddTo(EtcView& view) {
    view.arguments.insert(view.arguments.end(), arguments_.begin(), arguments_.end());
    std::move(files_.begin(), files_.end(), std::back_inserter(view.files));
  }

 private:
  bool TakeDirectory(const std::string& path) {
    arguments_.insert(arguments_.end(), {"--dir", path});
    std::error_code failed;
    const fs::directory_iterator found(path, failed);
    const std::vector<fs::directory_entry> entries(begin(found), end(found));
    if (failed || entries_ + entries.size() > kMostEntries) return false;  // before each of them is looked at
    return std::all_of(entries.begin(), entries.end(), [this](const fs::directory_entry& entry) {
      std::error_code unknown;
      return entry.is_symlink(unknown) ? TakeLink(entry.path()) : Take(entry.path());
    });
  }

  bool TakeLink(const fs::path& path) {
    std::error_code failed;
    const auto target = fs::read_symlink(path, failed);
    if (failed || ++entries_ > kMostEntries) return false;
    arguments_.insert(arguments_.end(), {"--symlink", target.string(), path.string()});
    return true;
  }

  bool TakeFile(const std::string& path, uint64_t bytes) {
    if ((bytes_ += bytes) > kMostBytes) return false;
    auto text = ReadRegularFile(path, kMostBytes);
    if (!text) return false;
    files_.push_back({path, std::move(*text)});
    return true;
  }

  std::vector<std::string> arguments_;
  std::vector<MadeFile> files_;
  size_t entries_ = 0;
  uint64_t bytes_ = 0;
};

// A link into what is shown stays a link: its name may say something, as a time zone's does.
void Show(const std::string& path, EtcView& view) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !MayAnybodyRead(status)) return;
  std::error_code ignored;
  const auto real = fs::is_symlink(path, ignored) ? fs::canonical(path, ignored).string() : "";
  if (IsBelow(real, "/usr")) {
    view.arguments.insert(view.arguments.end(), {"--symlink", real, path});
  } else if (Copy copy; copy.Take(path)) {
    copy.AddTo(view);
  } else {
    view.arguments.insert(view.arguments.end(), {"--ro-bind", path, path});
  }
}

}  // namespace

EtcView MakeEtcView() {
  EtcView view;
  for (const char* name : kEtc) Show(std::string("/etc/") + name, view);
  return view;
}

}  // namespace headrace::jobs
