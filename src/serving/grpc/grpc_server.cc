#include "serving/grpc/grpc_server.h"

#include <climits>

#include "serving/grpc/model_service.h"
#include "serving/grpc/prediction_service.h"

namespace headrace::serving {
namespace {

class Running final : public GrpcServer {
 public:
  Running(const GrpcOptions& options, const GrpcContext& context) : prediction_(options, context), model_(context) {}
  ~Running() override { Stop(std::chrono::milliseconds(0)); }

  Status Open(const GrpcOptions& options) {
    grpc::ServerBuilder builder;
    int port = 0;
    const bool v6 = options.address.find(':') != std::string::npos;
    const std::string where = fmt::format("{}{}{}:{}", v6 ? "[" : "", options.address, v6 ? "]" : "", options.port);
    builder.AddListeningPort(where, grpc::InsecureServerCredentials(), &port);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a port in use is an error, not shared
    builder.SetMaxReceiveMessageSize(
        static_cast<int>(std::min<size_t>(options.max_message_bytes, static_cast<size_t>(INT_MAX))));
    builder.SetMaxSendMessageSize(INT_MAX);
    builder.RegisterService(&prediction_);
    builder.RegisterService(&model_);
    server_ = builder.BuildAndStart();
    if (!server_ || port == 0) return Fail(ErrorCode::kUnavailable, "gRPC: cannot listen on {}", where);
    port_ = static_cast<uint16_t>(port);
    return {};
  }

  uint16_t port() const override { return port_; }

  void Stop(std::chrono::milliseconds grace) override {
    if (!server_ || stopped_) return;
    stopped_ = true;
    server_->Shutdown(std::chrono::system_clock::now() + grace);
    server_->Wait();
  }

 private:
  PredictionService prediction_;
  ModelService model_;
  std::unique_ptr<grpc::Server> server_;
  uint16_t port_ = 0;
  bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<GrpcServer>> GrpcServer::Listen(const GrpcOptions& options, const GrpcContext& context) {
  auto server = std::make_unique<Running>(options, context);
  HEADRACE_TRY(server->Open(options));
  return std::unique_ptr<GrpcServer>(std::move(server));
}

}  // namespace headrace::serving
