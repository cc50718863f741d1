#include "jobs/hosting/hosting_service.h"

#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "base/beneath.h"
#include "base/log.h"
#include "jobs/hosting/endpoint_runner.h"

namespace headrace::jobs {
namespace {

constexpr std::chrono::seconds kMetricsPause{1};

}  // namespace

class HostingService::Impl {
 public:
  explicit Impl(HostingOptions options) {
    machine_.options = std::move(options);
    machine_.options.data_dir = std::filesystem::absolute(machine_.options.data_dir).lexically_normal();
  }
  ~Impl() { Stop(); }

  Status Start() {
    HEADRACE_ASSIGN(const auto endpoints, store::Endpoints(*machine_.options.database).List({}));
    RemoveOrphans(endpoints);
    for (const auto& endpoint : endpoints) {
      AwaitInstances(endpoint);
      Wake(endpoint.account_id, endpoint.name);
    }
    writer_ = std::thread([this] { WriteMetrics(); });
    return {};
  }

  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      stopping_ = true;
    }
    stop_.notify_all();
    if (writer_.joinable()) writer_.join();
    std::map<Key, std::unique_ptr<EndpointRunner>> runners;
    std::vector<std::unique_ptr<EndpointRunner>> ended;
    {
      const std::lock_guard lock(mutex_);
      runners.swap(runners_);
      ended.swap(ended_);
    }
    for (auto& [key, runner] : runners) runner->RequestStop();
  }

  void Wake(const std::string& account, const std::string& name) {
    std::vector<std::unique_ptr<EndpointRunner>> ended;  // joined outside of the lock
    const std::lock_guard lock(mutex_);
    ended.swap(ended_);
    if (stopping_) return;
    const Key key{account, name};
    if (auto& runner = runners_[key]) {
      pending_[key] = true;
      runner->Wake();
    } else {
      pending_[key] = false;
      runner = std::make_unique<EndpointRunner>(machine_, routes_, account, name, [this, key] { return MayEnd(key); });
    }
  }

  EndpointRoutes& routes() { return routes_; }
  InvocationMetrics& metrics() { return metrics_; }
  HostingMachine& machine() { return machine_; }

 private:
  using Key = std::pair<std::string, std::string>;  // account, name

  // On the runner's own thread: it cannot be joined here.
  bool MayEnd(const Key& key) {
    const std::lock_guard lock(mutex_);
    if (std::exchange(pending_[key], false)) return false;
    const auto runner = runners_.find(key);
    if (runner == runners_.end()) return true;  // Stop() has it
    ended_.push_back(std::move(runner->second));
    runners_.erase(runner);
    pending_.erase(key);
    return true;
  }

  // From the first moment on, requests to an endpoint that has served wait for it to come back.
  void AwaitInstances(const store::Endpoint& endpoint) {
    const auto status = EndpointStatusOf(endpoint.status);
    if (status != EndpointStatus::kInService && status != EndpointStatus::kUpdating) return;
    const auto deployment = ParseDeployment(endpoint.previous.empty() ? endpoint.deployment : endpoint.previous);
    if (!deployment) return;
    Route route;
    for (const auto& variant : deployment->variants) route.push_back({variant.name, variant.weight, variant.count, {}});
    routes_.Publish(endpoint.account_id, endpoint.name, std::move(route));
  }

  // What endpoints have left that are gone.
  void RemoveOrphans(const std::vector<store::Endpoint>& endpoints) {
    namespace fs = std::filesystem;
    std::map<Key, bool> known;
    for (const auto& endpoint : endpoints) known[{endpoint.account_id, endpoint.name}] = true;
    std::error_code error;
    std::vector<fs::path> gone;
    for (const auto& account : fs::directory_iterator(machine_.options.data_dir + "/endpoints", error))
      for (const auto& name : fs::directory_iterator(account.path(), error))
        if (!known.contains({account.path().filename(), name.path().filename()})) gone.push_back(name.path());
    for (const auto& path : gone)
      if (auto removed = RemoveTree(path); !removed)
        Log(LogLevel::kError, "{}: {}", path.string(), removed.error().message());
  }

  void WriteMetrics() {
    std::unique_lock lock(mutex_);
    while (true) {
      const bool stopping = stop_.wait_for(lock, kMetricsPause, [this] { return stopping_; });
      lock.unlock();
      if (const auto written = metrics_.Flush(*machine_.options.database, machine_.options.clock->Now()); !written)
        Log(LogLevel::kError, "metrics of invocations: {}", written.error().message());
      lock.lock();
      if (stopping) return;
    }
  }

  HostingMachine machine_;
  EndpointRoutes routes_;
  InvocationMetrics metrics_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::map<Key, bool> pending_;  // woken since its runner was last asked whether it may end
  std::map<Key, std::unique_ptr<EndpointRunner>> runners_;
  std::vector<std::unique_ptr<EndpointRunner>> ended_;
  std::thread writer_;
};

HostingService::HostingService(HostingOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
HostingService::~HostingService() = default;
Status HostingService::Start() { return impl_->Start(); }
void HostingService::Stop() { impl_->Stop(); }
void HostingService::Wake(const std::string& account, const std::string& name) { impl_->Wake(account, name); }
EndpointRoutes& HostingService::routes() { return impl_->routes(); }
InvocationMetrics& HostingService::metrics() { return impl_->metrics(); }
HostingMachine& HostingService::machine() { return impl_->machine(); }

}  // namespace headrace::jobs
