#include "jobs/transform/transform_service.h"

#include <filesystem>
#include <map>
#include <mutex>

#include "base/beneath.h"
#include "base/log.h"
#include "jobs/request/training_status.h"
#include "jobs/transform/transform_runner.h"

namespace headrace::jobs {
namespace {

constexpr size_t kLargestAnswer = size_t{256} << 20;

}  // namespace

class TransformService::Impl {
 public:
  explicit Impl(HostingMachine& machine)
      : machine_(machine), client_({.idle_connections = 64, .body_bytes = kLargestAnswer}) {}
  ~Impl() { Stop(); }

  Status Start() {
    store::ResourceFilter running;
    running.statuses = {std::string(Text(TransformStatus::kInProgress)), std::string(Text(TransformStatus::kStopping))};
    HEADRACE_ASSIGN(const auto jobs, store::TransformJobs(*machine_.options.database).List(running));
    RemoveLeftovers(jobs);
    for (const auto& job : jobs) Wake(job.account_id, job.name);
    return {};
  }

  void Stop() {
    std::map<Key, std::unique_ptr<TransformRunner>> runners;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      runners.swap(runners_);
    }
    for (auto& [key, runner] : runners) runner->RequestStop();
  }

  void Wake(const std::string& account, const std::string& name) {
    std::map<Key, std::unique_ptr<TransformRunner>> ended;  // joined outside of the lock
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    for (auto at = runners_.begin(); at != runners_.end();) {
      const auto next = std::next(at);
      if (at->second->ended()) ended.insert(runners_.extract(at));
      at = next;
    }
    auto& runner = runners_[{account, name}];
    if (runner) {
      runner->Wake();
    } else {
      runner = std::make_unique<TransformRunner>(machine_, client_, account, name);
    }
  }

 private:
  using Key = std::pair<std::string, std::string>;  // account, name

  // Of jobs that ended when the server did.
  void RemoveLeftovers(const std::vector<store::TransformJob>& jobs) {
    namespace fs = std::filesystem;
    std::map<Key, bool> known;
    for (const auto& job : jobs) known[{job.account_id, job.name}] = true;
    std::error_code error;
    std::vector<fs::path> gone;
    for (const auto& account : fs::directory_iterator(machine_.options.data_dir + "/transforms", error))
      for (const auto& name : fs::directory_iterator(account.path(), error))
        if (!known.contains({account.path().filename(), name.path().filename()})) gone.push_back(name.path());
    for (const auto& path : gone)
      if (auto removed = RemoveTree(path); !removed)
        Log(LogLevel::kError, "{}: {}", path.string(), removed.error().message());
  }

  HostingMachine& machine_;
  http::Client client_;
  std::mutex mutex_;
  bool stopping_ = false;
  std::map<Key, std::unique_ptr<TransformRunner>> runners_;
};

TransformService::TransformService(HostingMachine& machine) : impl_(std::make_unique<Impl>(machine)) {}
TransformService::~TransformService() = default;
Status TransformService::Start() { return impl_->Start(); }
void TransformService::Stop() { impl_->Stop(); }
void TransformService::Wake(const std::string& account, const std::string& name) { impl_->Wake(account, name); }

}  // namespace headrace::jobs
