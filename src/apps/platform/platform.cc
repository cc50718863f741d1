#include "apps/platform/platform.h"

#include <atomic>
#include <filesystem>

#include <unistd.h>

#include "api/cloudwatch/cloudwatch_service.h"
#include "api/console/console.h"
#include "api/iam/iam_service.h"
#include "api/logs/logs_service.h"
#include "api/runtime/runtime_service.h"
#include "api/s3/s3_service.h"
#include "api/sagemaker/sagemaker_service.h"
#include "api/sts/sts_service.h"
#include "apps/client/api_client.h"
#include "apps/comparison/read_job.h"
#include "apps/doctor/examine.h"
#include "apps/doctor/rounds.h"
#include "apps/platform/aws_data_path.h"
#include "apps/platform/client_environment.h"
#include "apps/platform/client_files.h"
#include "apps/platform/disk_watch.h"
#include "apps/platform/job_environment.h"
#include "apps/platform/listen_address.h"
#include "apps/platform/machine_report.h"
#include "apps/platform/principal_keys.h"
#include "apps/platform/retention.h"
#include "apps/platform/unsigned_page.h"
#include "aws/gateway.h"
#include "base/descriptor_limit.h"
#include "base/file.h"
#include "base/log.h"
#include "base/settled_clock.h"
#include "base/thread_pool.h"
#include "http/access_log.h"
#include "http/client.h"
#include "http/metrics.h"
#include "http/server.h"
#include "jobs/hosting/hosting_service.h"
#include "jobs/machine/machine.h"
#include "jobs/python/program_check.h"
#include "jobs/runtime/installation.h"
#include "jobs/training/local_executor.h"
#include "jobs/training/training_service.h"
#include "jobs/transform/transform_service.h"
#include "store/meta/database.h"
#include "store/meta/principals.h"
#include "store/objects/object_store.h"

namespace headrace::apps {
namespace {

constexpr const char* kDefaultPrincipal = "default";
constexpr int64_t kPatienceMillis = 3'600'000;  // until deletions believe a clock that was set forward
constexpr size_t kLeastDescriptors = 96;        // of which half are connections

class RunningPlatform : public Platform {
 public:
  explicit RunningPlatform(const Settings& settings) : settings_(settings), directory_(settings.data_dir) {}
  ~RunningPlatform() override {
    Stop();
    pool_.reset();  // its last tasks still tell the server's coroutines that they are done
  }

  const ServerAddress& address() const override { return address_; }

  Status Start() {
    HEADRACE_ASSIGN(const ListenAddress main, ParseListenAddress("--listen", settings_.listen));
    HEADRACE_TRY(CheckDescriptors());
    HEADRACE_TRY(directory_.Claim());
    disk_ = std::make_unique<DiskWatch>(directory_.path(), [this] { return database_->HoldLog(); });
    disk_->MakeRoomToStart();
    HEADRACE_ASSIGN(database_, store::Database::Open(directory_ / "meta.db"));
    principals_ = std::make_unique<store::Principals>(*database_, clock_);
    keys_ = std::make_unique<PrincipalKeys>(*principals_);
    HEADRACE_TRY(EnsureFirstKey());
    HEADRACE_TRY(CheckExposure(main));
    HEADRACE_ASSIGN(objects_, store::ObjectStore::Open(*database_, clock_, directory_ / "objects"));
    pool_ = std::make_unique<ThreadPool>(settings_.pool_threads, settings_.pool_queue);
    retention_ = std::make_unique<Retention>(*database_, settled_,
                                             RetentionOptions{.metric_days = settings_.metric_retention_days});
    FindMachine();
    MakeExecutor();
    MakeTrainingService();
    MakeHostingService();
    AddServices();
    HEADRACE_TRY(OpenAccessLog());
    HEADRACE_TRY(hosting_->Start());  // before the first request: endpoints of before are there
    HEADRACE_TRY(transforms_->Start());
    HEADRACE_TRY(Listen(main));
    HEADRACE_TRY(WriteClientFiles());
    retention_->Start();
    HEADRACE_TRY(training_->Start());  // jobs are told where the server is
    HEADRACE_TRY(directory_.WriteAddress(address_));
    serving_ = true;
    disk_->Start();
    return {};
  }

  void Stop() override {
    if (server_ != nullptr) server_->Stop(std::chrono::seconds(settings_.stop_grace_seconds));
    if (transforms_ != nullptr) transforms_->Stop();
    if (hosting_ != nullptr) hosting_->Stop();
    if (training_ != nullptr) training_->Stop();
    if (retention_ != nullptr) retention_->Stop();
    if (disk_ != nullptr) disk_->Stop();
  }

 private:
  static Status CheckDescriptors() {
    if (DescriptorLimit() >= kLeastDescriptors) return {};
    return Fail(ErrorCode::kFailedPrecondition,
                "descriptors: this process may have {}, wanted at least {}; raise the limit (ulimit -n, LimitNOFILE=)",
                DescriptorLimit(), kLeastDescriptors);
  }

  // The first start makes a principal with a random key; later ones put its file back if it is gone.
  Status EnsureFirstKey() {
    auto key = principals_->FirstKey(kDefaultPrincipal);
    if (!key && key.error().code() == ErrorCode::kNotFound) {
      if (std::filesystem::exists(directory_ / "keys")) return {};  // it was revoked
      key = principals_->Create(kDefaultPrincipal);
    }
    if (!key) return tl::unexpected<Error>(std::move(key.error()));
    const auto kept = directory_.ReadKeys();
    if (kept && kept->access_key_id == key->access_key_id) return {};
    return directory_.WriteKeys({key->access_key_id, key->secret_access_key});
  }

  // Whoever opens the server to a network has first said who may come.
  Status CheckExposure(const ListenAddress& main) const {
    bool open = !main.loopback();
    if (settings_.tls_listen != "auto" && settings_.tls_listen != "off") {
      HEADRACE_ASSIGN(const ListenAddress secure, ParseListenAddress("--tls-listen", settings_.tls_listen));
      open = open || !secure.loopback();
    }
    if (!open) return {};
    HEADRACE_ASSIGN(const auto principals, principals_->List());
    for (const store::Principal& principal : principals)
      if (principal.name != kDefaultPrincipal && principal.keys > 0) return {};
    return Fail(ErrorCode::kFailedPrecondition,
                "--listen {}: not a loopback address, and nobody has been given keys; make some first with "
                "headrace keys create NAME --data-dir {}",
                settings_.listen, directory_.path());
  }

  // What this machine has is found once, here, and handed down to all that runs programs on it.
  void FindMachine() {
    machine_ = std::make_unique<jobs::Machine>(jobs::MachineOptions{.job_cores = static_cast<int>(settings_.job_cpus),
                                                                    .sandbox = settings_.sandbox,
                                                                    .python = settings_.python,
                                                                    .data_dir = directory_.path()});
    binary_ = std::filesystem::read_symlink("/proc/self/exe");
  }

  void MakeExecutor() {
    jobs::LocalExecutorOptions options;
    options.machine = machine_.get();
    options.steady = &steady_;
    options.data_dir = directory_.path();
    options.headrace_binary = binary_;
    options.compiler = settings_.compiler;
    options.read_only_paths = {directory_ / "aws", directory_ / "tls/ca.pem"};
    for (auto& path : PathsOfJobs(settings_)) options.read_only_paths.push_back(std::move(path));
    options.memory_bytes = static_cast<uint64_t>(settings_.job_memory_mib) << 20;
    options.tasks = static_cast<uint64_t>(settings_.job_tasks);
    options.disk_bytes = static_cast<uint64_t>(settings_.job_disk_mib) << 20;
    options.log_bytes = static_cast<uint64_t>(settings_.job_log_mib) << 20;
    executor_ = std::make_unique<jobs::LocalExecutor>(std::move(options));
  }

  void MakeTrainingService() {
    jobs::TrainingOptions options;
    options.database = database_.get();
    options.objects = objects_.get();
    options.clock = &clock_;
    options.settled_clock = &settled_;
    options.data_dir = directory_.path();
    options.executor = executor_.get();
    options.region = settings_.region;
    options.environment = [this](const store::TrainingJob& job) {
      return JobEnvironment(*principals_, directory_, address_, job);
    };
    options.may_run = [this](const std::string& account) { return MayRun(account); };
    options.stop_grace_seconds = static_cast<int>(settings_.job_stop_grace_seconds);
    options.heartbeat_seconds = static_cast<int>(settings_.job_heartbeat_seconds);
    options.hang_seconds = static_cast<int>(settings_.job_hang_seconds);
    options.keep_log_hours = static_cast<int>(settings_.job_log_hours);
    training_ = std::make_unique<jobs::TrainingService>(std::move(options));
  }

  void MakeHostingService() {
    jobs::HostingOptions options;
    options.database = database_.get();
    options.objects = objects_.get();
    options.clock = &clock_;
    options.data_dir = directory_.path();
    options.headrace_binary = binary_;
    options.machine = machine_.get();
    options.may_run = [this](const std::string& account) { return MayRun(account); };
    hosting_ = std::make_unique<jobs::HostingService>(std::move(options));
    transforms_ = std::make_unique<jobs::TransformService>(hosting_->machine());
  }

  void AddServices() {
    gateway_ = std::make_unique<aws::Gateway>(aws::GatewayOptions{*keys_, clock_, *pool_, settings_.region});
    gateway_->SetS3(api::s3::MakeS3Service({*objects_, *pool_}));
    gateway_->Add(api::StsService({*database_, *principals_}));
    gateway_->Add(api::IamService(*database_));
    gateway_->Add(api::LogsService(*database_));
    gateway_->Add(api::CloudWatchService(*database_));
    api::SageMakerOptions training{*database_};
    training.objects = objects_.get();
    training.submit = [this](const std::string& account, const std::string& job) { training_->Submit(account, job); };
    training.request_stop = [this](const std::string& account, const std::string& job) {
      return training_->RequestStop(account, job);
    };
    training.wake_endpoint = [this](const std::string& account, const std::string& name) {
      hosting_->Wake(account, name);
    };
    training.wake_transform = [this](const std::string& account, const std::string& job) {
      transforms_->Wake(account, job);
    };
    training.may_run = [this](const std::string& account) { return MayRun(account); };
    training.fits = [this](const std::vector<jobs::InstanceSize>& hosts) { return executor_->Fits(hosts); };
    training.check_program = [this](const jobs::TrainingRequest& request, Descriptor source) {
      return jobs::CheckProgram(machine_->interpreters(), request, std::move(source));
    };
    gateway_->Add(api::SageMakerService(std::move(training)));
    gateway_->SetRuntime(api::RuntimeService({.routes = hosting_->routes(),
                                              .metrics = hosting_->metrics(),
                                              .client = models_,
                                              .max_body_bytes = static_cast<size_t>(settings_.max_invocation_bytes)}));
    console_ = std::make_unique<api::Console>(
        api::ConsoleOptions{*keys_, *principals_, *database_, *pool_, clock_, steady_,
                            [this](http::Request& request) { return gateway_->Handle(request); }, settings_.region,
                            [this](const aws::Call& call, const std::string& job) { return CompareJob(call, job); },
                            [this](const std::string& account) { return DescribeMachine(account); },
                            [this](const std::string& account, bool again) { return ExamineMachine(account, again); }});
    gateway_->Add(console_->Service());
  }

  // By the operations that the caller could ask for as well.
  aws::Reply<nlohmann::json> CompareJob(const aws::Call& call, const std::string& job) {
    const ApiClient own([&](std::string_view service, const std::string& operation, const nlohmann::json& input,
                            const sagemaker::CallOptions&) -> Result<nlohmann::json> {
      const auto* found = gateway_->FindOperation(service == "cloudwatch" ? "monitoring" : service, operation);
      if (found == nullptr) return Fail(ErrorCode::kNotFound, "{}: no operation of {}", operation, service);
      auto reply = (*found)(call, input);
      if (!reply) return Fail(ErrorCode::kFailedPrecondition, "{}: {}", operation, reply.error().message);
      return std::move(*reply);
    });
    try {
      const auto prices = ValueOrThrow(comparison::InstancePrices::Parse(settings_.instance_prices));
      return comparison::ToJson({comparison::ReadJob(own, job, {}, prices, {})})["jobs"][0];
    } catch (const Error& error) {
      return aws::Refuse("ValidationException", error.what());
    }
  }

  nlohmann::json DescribeMachine(const std::string& account) {
    return MachineReport({directory_.path(), jobs::FindInstallation(binary_).supervisor, started_}, machine_->cores(),
                         account);
  }

  // It tells of this machine's paths and programs, and takes seconds of its processors: the owner may know, and ask.
  Result<nlohmann::json> ExamineMachine(const std::string& account, bool again) {
    HEADRACE_ASSIGN(const auto owner, principals_->Find(kDefaultPrincipal));
    if (account != owner.account_id)
      return Fail(ErrorCode::kFailedPrecondition, "What headrace doctor finds is told to the server's owner alone.");
    return doctor_.Ask(again);
  }

  // Without a sandbox around it, what an account runs can do what this server can. Asked for when somebody comes who is
  // not the owner: no start waits for it.
  Status MayRun(const std::string& account) {
    if (settings_.allow_unsandboxed_tenants) return {};
    HEADRACE_ASSIGN(const auto owner, principals_->Find(kDefaultPrincipal));
    if (account == owner.account_id) return {};
    const Status& sandbox = machine_->sandbox();
    if (sandbox) return {};
    return Fail(
        ErrorCode::kFailedPrecondition,
        "This server has no sandbox ({}), and without one it runs jobs and model servers of its owner's account "
        "only. Its owner can make one work (headrace doctor tells what is missing), or trust all accounts with "
        "the server by the setting allow-unsandboxed-tenants.",
        sandbox.error().message());
  }

  Status OpenAccessLog() {
    if (settings_.access_log == "off") return {};
    const std::string path = settings_.access_log.empty() ? directory_ / "log/access.log" : settings_.access_log;
    HEADRACE_ASSIGN(access_log_, http::AccessLog::Open(path));
    return {};
  }

  Status Listen(const ListenAddress& main) {
    std::vector<http::Listener> listeners{{main.ip, main.port}};
    if (settings_.tls_certificate.empty() != settings_.tls_key.empty())
      return Fail(ErrorCode::kInvalidArgument, "--tls-certificate and --tls-key: wanted both or none");
    if (!settings_.tls_certificate.empty()) {
      HEADRACE_ASSIGN(listeners[0].tls, http::TlsContext::Load(settings_.tls_certificate, settings_.tls_key));
    }
    if (settings_.tls_listen == "off") return Open(std::move(listeners));
    HEADRACE_TRY(directory_.EnsureCertificates());
    HEADRACE_TRY(directory_.EnsureBundle());
    HEADRACE_ASSIGN(auto tls, http::TlsContext::Load(directory_ / "tls/server.pem", directory_ / "tls/server-key.pem"));
    if (settings_.tls_listen != "auto") {
      HEADRACE_ASSIGN(const ListenAddress secure, ParseListenAddress("--tls-listen", settings_.tls_listen));
      listeners.push_back({secure.ip, secure.port, tls});
      return Open(std::move(listeners));
    }
    listeners.push_back({"127.0.0.1", static_cast<uint16_t>(main.port == 0 ? 0 : main.port + 1), tls});
    if (const auto opened = Open(listeners); opened) return opened;
    listeners.back().port = 0;  // somebody has the next port: any other will do
    return Open(std::move(listeners));
  }

  Status Open(std::vector<http::Listener> listeners) {
    using std::chrono::seconds;
    http::ServerOptions options{.listeners = std::move(listeners),
                                .limits = {.header_bytes = static_cast<size_t>(settings_.max_header_bytes),
                                           .header_time = seconds(settings_.header_seconds),
                                           .idle_time = seconds(settings_.idle_seconds),
                                           .stall_time = seconds(settings_.stall_seconds),
                                           .progress_grace = seconds(settings_.stall_seconds),
                                           .progress_rate = static_cast<size_t>(settings_.min_body_rate),
                                           .connections = static_cast<size_t>(settings_.max_connections),
                                           .kept_connections = static_cast<size_t>(settings_.max_connections / 4)},
                                .threads = static_cast<size_t>(settings_.io_threads),
                                .observer = [this](const http::Exchange& exchange) { Observe(exchange); }};
    const std::string ip = options.listeners[0].address;
    const bool two = options.listeners.size() > 1;
    HEADRACE_ASSIGN(
        server_, http::Server::Listen(std::move(options), [this](http::Request& request) { return Handle(request); }));
    const auto ports = server_->ports();
    const char* scheme = settings_.tls_certificate.empty() ? "http" : "https";
    address_ = {fmt::format("{}://{}", scheme, ReachableAt(ip, ports[0])),
                two ? fmt::format("https://localhost:{}", ports[1]) : "", settings_.region, ::getpid(),
                settings_.client_files.empty() ? "" : std::filesystem::absolute(settings_.client_files).string()};
    return {};
  }

  Status WriteClientFiles() const {
    std::map<std::string, std::string> files{{kSageMakerConfigName, SageMakerConfig()}};
    for (auto& [name, text] : AwsDataFiles(address_.endpoint)) files.emplace("aws/" + name, text);
    for (const auto& [name, text] : files) {
      const std::string path = directory_ / name;
      HEADRACE_TRY(MakeDirectories(std::filesystem::path(path).parent_path()));
      HEADRACE_TRY(WriteIfChanged(path, text));
    }
    if (address_.client_files.empty()) return {};
    if (!address_.tls_endpoint.empty()) {
      HEADRACE_ASSIGN(files[kBundleName], ReadFile(directory_ / kBundleName));
    }
    return PublishFiles(address_.client_files, files);
  }

  void Observe(const http::Exchange& exchange) {
    metrics_.Observe(exchange);
    if (access_log_ != nullptr) access_log_->Write(exchange);
  }

  // What monitors ask carries no signature, so buckets may have these names too.
  http::Task<http::Response> Handle(http::Request& request) {
    const bool signed_request = request.headers.Has("Authorization") || !request.query.empty();
    if (!signed_request && request.path == "/healthz") {
      request.log_detail = "health";
      co_return serving_ ? http::TextResponse(200, "text/plain", "ok\n")
                         : http::TextResponse(503, "text/plain", "starting\n");
    }
    if (!signed_request && request.path == "/metrics") {
      request.log_detail = "metrics";
      co_return http::TextResponse(200, "text/plain; version=0.0.4", metrics_.Render(server_->open_connections()));
    }
    if (api::Console::Wants(request)) co_return co_await console_->Handle(request);
    if (IsFromBrowser(request)) {
      request.log_detail = "page";
      co_return UnsignedPage(request, EnvCommandLine(settings_.data_dir));
    }
    co_return co_await gateway_->Handle(request);
  }

  const Settings settings_;
  std::atomic<bool> serving_ = false;  // everything answers, and `headrace env` says so
  DataDirectory directory_;
  SystemClock clock_;
  BootClock steady_;
  const UnixMillis started_ = clock_.Now();
  const SettledClock settled_{clock_, steady_, kPatienceMillis};
  ServerAddress address_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::Principals> principals_;
  std::unique_ptr<PrincipalKeys> keys_;
  std::unique_ptr<store::ObjectStore> objects_;
  http::Metrics metrics_;
  std::unique_ptr<http::AccessLog> access_log_;
  std::unique_ptr<Retention> retention_;
  std::unique_ptr<DiskWatch> disk_;
  http::Client models_;  // what asks model servers
  std::string binary_;   // of this program
  std::unique_ptr<jobs::Machine> machine_;
  std::unique_ptr<jobs::LocalExecutor> executor_;
  std::unique_ptr<jobs::TrainingService> training_;
  std::unique_ptr<jobs::HostingService> hosting_;
  std::unique_ptr<jobs::TransformService> transforms_;
  DoctorRounds doctor_{clock_, [this] { return Examine(settings_); }};
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<aws::Gateway> gateway_;
  std::unique_ptr<api::Console> console_;
  std::unique_ptr<http::Server> server_;  // last: its requests use the rest
};

}  // namespace

Result<std::unique_ptr<Platform>> Platform::Start(const Settings& settings) {
  auto platform = std::make_unique<RunningPlatform>(settings);
  HEADRACE_TRY(platform->Start());
  return platform;
}

}  // namespace headrace::apps
