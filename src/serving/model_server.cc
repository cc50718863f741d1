#include "serving/model_server.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "http/server.h"
#include "serving/model/model_manager.h"
#include "serving/model/servable.h"

namespace headrace::serving {
namespace {

constexpr size_t kMaxConfigBytes = size_t{16} << 20;

int OpenMpThreads(const ModelServerOptions& options) {
  if (options.openmp_threads > 0) return options.openmp_threads;
  const auto processors = static_cast<int64_t>(std::max(std::thread::hardware_concurrency(), 1u));
  return static_cast<int>(std::max<int64_t>(1, processors / std::max<int64_t>(options.batching.num_batch_threads, 1)));
}

Result<std::vector<ModelConfig>> ReadConfigs(const std::string& file) {
  HEADRACE_ASSIGN(const std::string text, ReadFile(file, kMaxConfigBytes));
  return ParseModelConfigs(text, file);
}

class Running final : public ModelServer {
 public:
  explicit Running(const ModelServerOptions& options)
      : options_(options),
        batcher_(options.batching, OpenMpThreads(options)),
        models_([this](const std::string& directory) { return Load(directory); }),
        api_(models_, batcher_, metrics_, options.rest) {}

  ~Running() override {
    Stop(std::chrono::milliseconds(0));
    batcher_.Stop();  // while the server that its answers go to is still there
  }

  Status Open(bool strict) {
    std::vector<ModelConfig> configs = options_.models;
    if (!options_.config_file.empty()) {
      HEADRACE_ASSIGN(configs, ReadConfigs(options_.config_file));
    }
    models_.SetConfigs(configs);
    models_.Step();
    if (strict) HEADRACE_TRY(RequireAll(configs));
    http::ServerOptions server;
    server.listeners = {{options_.address, options_.port}};
    server.threads = options_.http_threads;
    server.limits.connections = options_.max_connections;
    HEADRACE_ASSIGN(server_, http::Server::Listen(std::move(server),
                                                  [this](http::Request& request) { return api_.Handle(request); }));
    if (options_.poll.count() > 0) poller_ = std::thread([this] { Poll(); });
    return {};
  }

  uint16_t port() const override { return server_->ports().at(0); }
  bool ready() const override { return models_.AllAvailable(); }

  void Stop(std::chrono::milliseconds grace) override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wakeup_.notify_all();
    if (poller_.joinable()) poller_.join();
    if (server_) server_->Stop(grace);
  }

 private:
  // A loaded version is warm: every worker has run every signature.
  Result<std::shared_ptr<Servable>> Load(const std::string& directory) {
    HEADRACE_ASSIGN(auto servable, LoadServable(directory, {batcher_.workers(), options_.bfloat16}));
    std::mutex mutex;
    Status warm;
    batcher_.OnEveryWorker([&](size_t worker) {
      Status status = WarmUp(*servable, worker);
      const std::lock_guard lock(mutex);
      if (!status) warm = std::move(status);
    });
    if (!warm) return tl::unexpected<Error>(std::move(warm.error()));
    return servable;
  }

  Status RequireAll(const std::vector<ModelConfig>& configs) const {
    for (const ModelConfig& config : configs) {
      if (models_.Find(config.name, {})) continue;
      const auto statuses = models_.Status(config.name, {});
      if (!statuses)
        return Fail(ErrorCode::kNotFound,
                    "model '{}': no version in {}: wanted a directory named by a number that holds saved_model.pb",
                    config.name, config.base_path);
      return Fail(ErrorCode::kInvalidArgument, "model '{}': version {}: {}", config.name, statuses->front().version,
                  statuses->front().error);
    }
    return {};
  }

  void Poll() {
    auto next_config = std::chrono::steady_clock::now() + options_.config_poll;
    std::unique_lock lock(mutex_);
    while (!wakeup_.wait_for(lock, options_.poll, [this] { return stopping_; })) {
      lock.unlock();
      if (options_.config_poll.count() > 0 && std::chrono::steady_clock::now() >= next_config) {
        next_config += options_.config_poll;
        if (auto configs = ReadConfigs(options_.config_file); configs) {
          models_.SetConfigs(std::move(*configs));
        } else {
          Log(LogLevel::kError, "the configuration stays as it was: {}", configs.error().message());
        }
      }
      models_.Step();
      lock.lock();
    }
  }

  const ModelServerOptions options_;
  Batcher batcher_;
  ModelManager models_;
  Metrics metrics_;
  RestApi api_;
  std::unique_ptr<http::Server> server_;
  std::mutex mutex_;
  std::condition_variable wakeup_;
  bool stopping_ = false;
  std::thread poller_;
};

}  // namespace

Result<std::unique_ptr<ModelServer>> ModelServer::Start(const ModelServerOptions& options, bool strict) {
  auto server = std::make_unique<Running>(options);
  HEADRACE_TRY(server->Open(strict));
  return std::unique_ptr<ModelServer>(std::move(server));
}

}  // namespace headrace::serving
