#include "serving/model_server.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "base/processors.h"
#include "http/server.h"
#ifdef HEADRACE_GRPC
#include "serving/grpc/grpc_server.h"
#endif
#include "serving/model/model_manager.h"
#include "serving/model/servable.h"
#include "serving/model/warmup.h"
#include "serving/tensorflow/library.h"

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
        tensorflow_(options.tensorflow_library),
        batcher_(options.batching, OpenMpThreads(options), options.http_threads),
        models_([this](const std::string& directory) { return Load(directory); }, options.retries),
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
    HEADRACE_TRY(models_.CheckLabels(options_.absent_labels, {}));
    http::ServerOptions server;
    server.listeners = {{options_.address, options_.port}};
    server.listeners[0].unix_socket = options_.socket_path;
    server.threads = options_.http_threads;
    // Where the processors are this server's and each has a thread that computes small runs.
    server.bind_threads = batcher_.bound() && options_.http_threads >= Processors().size();
    server.limits.connections = options_.max_connections;
    HEADRACE_ASSIGN(server_, http::Server::Listen(std::move(server),
                                                  [this](http::Request& request) { return api_.Handle(request); }));
    if (options_.grpc_port) HEADRACE_TRY(OpenGrpc());
    if (options_.poll.count() > 0) poller_ = std::thread([this] { Poll(); });
    return {};
  }

  uint16_t port() const override { return server_->ports().at(0); }
#ifdef HEADRACE_GRPC
  uint16_t grpc_port() const override { return grpc_ ? grpc_->port() : 0; }
#else
  uint16_t grpc_port() const override { return 0; }
#endif
  bool ready() const override { return models_.AllAvailable(); }

  void Stop(std::chrono::milliseconds grace) override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wakeup_.notify_all();
    if (poller_.joinable()) poller_.join();
#ifdef HEADRACE_GRPC
    if (grpc_) grpc_->Stop(grace);
#endif
    if (server_) server_->Stop(grace);
  }

 private:
  Status OpenGrpc() {
#ifdef HEADRACE_GRPC
    const GrpcOptions options{options_.address, *options_.grpc_port, options_.rest.max_body_bytes,
                              options_.rest.check_method_names};
    const GrpcContext context{models_, batcher_, metrics_,
                              [this](std::vector<ModelConfig> configs) { return Reload(std::move(configs)); }};
    HEADRACE_ASSIGN(grpc_, GrpcServer::Listen(options, context));
    return {};
#else
    return Fail(ErrorCode::kInvalidArgument, "--port {}: this build has no gRPC (HEADRACE_GRPC)", *options_.grpc_port);
#endif
  }

  // Until every model is there, or a reason why one is not.
  Status Reload(const std::vector<ModelConfig>& configs) {
    const std::lock_guard lock(step_mutex_);
    const VersionLabels before = models_.labels();
    models_.SetConfigs(configs);
    models_.Step();
    HEADRACE_TRY(RequireAll(configs));
    return KeepLabels(before);
  }

  // Labels that may not hold leave those of before.
  Status KeepLabels(const VersionLabels& before) {
    Status status = models_.CheckLabels(options_.absent_labels, before);
    if (!status) models_.SetLabels(before);
    return status;
  }

  // A loaded version is warm: every worker has run every signature and the requests that came with it, every
  // lane its small runs.
  Result<std::shared_ptr<Servable>> Load(const std::string& directory) {
    HEADRACE_ASSIGN(auto servable, LoadServable(directory, {batcher_.runners(), options_.bfloat16, &tensorflow_,
                                                            OpenMpThreads(options_)}));
    std::vector<WarmUpRequest> requests;
    if (options_.warm_up) {
      HEADRACE_ASSIGN(requests, ReadWarmUpRequests(directory, *servable));
    }
    std::mutex mutex;
    Status warm;
    const auto start = std::chrono::steady_clock::now();
    batcher_.OnEveryWorker([&](size_t worker) {
      Status status = WarmUp(*servable, requests, worker);
      if (status && worker == 0) status = MeasureSmallRuns(*servable, worker, batcher_.lanes());
      const std::lock_guard lock(mutex);
      if (!status) warm = std::move(status);
    });
    if (!warm) return Fail(warm.error().code(), "{}: warm-up: {}", directory, warm.error().message());
    const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
    Log(LogLevel::kInfo, "{}: warm after {:.1f} ms and {} recorded requests", directory, taken.count(),
        requests.size());
    return servable;
  }

  Status WarmUp(Servable& servable, const std::vector<WarmUpRequest>& requests, size_t worker) const {
    HEADRACE_TRY(RunZeros(servable, worker));
    for (int64_t i = 0; i < std::max<int64_t>(options_.warm_up_iterations, 1); ++i)
      for (const WarmUpRequest& request : requests)
        HEADRACE_TRY(servable.Run(request.signature, request.inputs, worker));
    return {};
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
      const std::lock_guard step(step_mutex_);
      std::optional<VersionLabels> before;
      if (options_.config_poll.count() > 0 && std::chrono::steady_clock::now() >= next_config) {
        next_config += options_.config_poll;
        if (auto configs = ReadConfigs(options_.config_file); configs) {
          before = models_.labels();
          models_.SetConfigs(std::move(*configs));
        } else {
          Log(LogLevel::kError, "the configuration stays as it was: {}", configs.error().message());
        }
      }
      models_.Step();
      if (before)
        if (const Status kept = KeepLabels(*before); !kept)
          Log(LogLevel::kError, "the labels stay as they were: {}", kept.error().message());
      lock.lock();  // nobody takes step_mutex_ while holding this one
    }
  }

  const ModelServerOptions options_;
  TensorFlowLibrary tensorflow_;
  Batcher batcher_;
  ModelManager models_;
  Metrics metrics_;
  RestApi api_;
  std::unique_ptr<http::Server> server_;
#ifdef HEADRACE_GRPC
  std::unique_ptr<GrpcServer> grpc_;
#endif
  std::mutex step_mutex_;  // one at a time changes what is served
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
