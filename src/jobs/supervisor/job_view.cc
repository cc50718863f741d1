#include "jobs/supervisor/job_view.h"

#include <algorithm>
#include <filesystem>

#include <unistd.h>

#include "base/file.h"
#include "jobs/sandbox/private_mounts.h"
#include "jobs/sandbox/system_view.h"

namespace headrace::jobs {
namespace {

constexpr const char* kInit = "/opt/headrace/init";
constexpr const char* kMl = "/opt/ml";
constexpr const char* kShown = "/opt/headrace/";
constexpr const char* kShared = "/opt/headrace/shared";
constexpr const char* kPackages = "/opt/headrace/requirements";
constexpr const char* kTools = "/opt/headrace/tools";
constexpr const char* kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// Without a sandbox: whether the program can have a /opt/ml of its own all the same.
bool CanBindMl() { return CanMountPrivately() && MakeDirectories(kMl).has_value(); }

}  // namespace

JobView::JobView(const JobDescription& job, const HostDirectory& directory)
    : job_(job), directory_(directory), sandboxed_(job.bubblewrap), bound_(!sandboxed_ && CanBindMl()) {
  ml_ = sandboxed_ || bound_ ? kMl : directory.ml();
  options_.home = directory.home();
  for (const auto& path : job.read_only) ShowReadOnly(path);
  for (const auto& path : PathsOfPython()) options_.read_only.push_back(path);
  options_.hidden = job.hidden;
  options_.host_name = job.current_host;
  options_.network = !job.request.network_isolation;
  options_.mounts = {{directory.ml(), kMl, true},         {directory.tmp(), "/tmp", true},
                     {directory.tmp(), "/var/tmp", true}, {directory.tools(), kTools, false},
                     {job.init_program, kInit, false},    {directory.files() + "/hosts", "/etc/hosts", false}};
  if (!job.shared_memory.empty()) options_.mounts.push_back({job.shared_memory, kShared, true});
  options_.mounts.insert(options_.mounts.end(), moved_.begin(), moved_.end());
}

// What lies in the middle of what is hidden, as the server's certificate, is seen in another place: the job need not
// know where the platform keeps its data.
void JobView::ShowReadOnly(const std::string& path) {
  const auto above = [&](const std::string& hidden) { return IsBelow(path, hidden); };
  if (!std::any_of(job_.hidden.begin(), job_.hidden.end(), above)) {
    options_.read_only.push_back(path);
  } else if (::access(path.c_str(), F_OK) == 0) {
    moved_.push_back({path, kShown + std::filesystem::path(path).filename().string(), false});
  }
}

// Interpreters are told their place when they are installed, so each is seen where it lies.
std::vector<std::string> JobView::PathsOfPython() const {
  auto paths = job_.python.paths;
  for (const auto& package : job_.python.packages)
    if (!IsBelow(package, "/usr")) paths.push_back(package);
  return paths;
}

// Values that name what is seen in another place name that.
void JobView::Translate(std::map<std::string, std::string>& environment) const {
  for (auto& [name, value] : environment)
    for (const auto& mount : moved_)
      if (IsBelow(value, mount.source)) value = mount.target + value.substr(mount.source.size());
}

Status JobView::Check() const {
  if (::access(job_.init_program.c_str(), X_OK) == 0) return {};
  return Fail(ErrorCode::kFailedPrecondition,
              "this installation of Headrace is not whole: {} is missing; install it again", job_.init_program);
}

std::map<std::string, std::string> JobView::Surroundings() const {
  const std::string tools = sandboxed_ ? kTools : directory_.tools();
  const std::string user_base = ml_ + "/packages/user";
  std::map<std::string, std::string> variables = {
      {"PATH", tools + ":" + packages() + "/bin:" + user_base + "/bin:" + kPath},
      {"HOME", sandboxed_ ? "/root" : directory_.home()},
      {"TMPDIR", sandboxed_ ? "/tmp" : directory_.tmp()},
      {"PYTHONUSERBASE", user_base}};
  if (!job_.shared_memory.empty()) variables["HEADRACE_SHARED_MEMORY_DIR"] = sandboxed_ ? kShared : job_.shared_memory;
  return variables;
}

std::string JobView::packages() const { return sandboxed_ ? kPackages : directory_.files() + "/requirements"; }

std::string JobView::init() const { return sandboxed_ ? kInit : job_.init_program; }

std::string JobView::Show(const std::string& source, const std::string& target, bool writable) {
  if (!sandboxed_) return source;
  options_.mounts.push_back({source, target, writable});
  return target;
}

Command JobView::WithInit(Command inside, const std::string& init) const {
  inside.arguments.insert(inside.arguments.begin(), init);
  inside.cpus = job_.cpus;
  return inside;
}

Command JobView::Wrap(Command inside, const std::vector<Mount>& more) const {
  if (sandboxed_) {
    Translate(inside.environment);
    SandboxOptions options = options_;
    options.mounts.insert(options.mounts.end(), more.begin(), more.end());
    return Sandboxed(WithInit(std::move(inside), kInit), options);
  }
  if (bound_) inside.binds = {{directory_.ml(), kMl}};
  return WithInit(std::move(inside), job_.init_program);
}

Command JobView::WrapTool(Command tool, const std::vector<std::string>& readable,
                          const std::vector<std::string>& writable) const {
  if (!sandboxed_) return WithInit(std::move(tool), job_.init_program);
  SandboxOptions options;
  options.read_only = job_.read_only;
  for (const auto& path : PathsOfPython()) options.read_only.push_back(path);
  options.hidden = job_.hidden;
  options.network = false;
  options.mounts.push_back({directory_.tmp(), "/tmp", true});
  options.mounts.push_back({job_.init_program, kInit, false});
  for (const auto& path : readable) options.mounts.push_back({path, path, false});
  for (const auto& path : writable) options.mounts.push_back({path, path, true});
  return Sandboxed(WithInit(std::move(tool), kInit), options);
}

}  // namespace headrace::jobs
