// TensorFlow Serving's gRPC interface: PredictionService and ModelService on a port of their own. Built with the option
// HEADRACE_GRPC.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "serving/model/batcher.h"
#include "serving/model/model_config.h"
#include "serving/model/model_manager.h"
#include "serving/rest/metrics.h"

namespace headrace::serving {

struct GrpcOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;                             // 0: any free one
  size_t max_message_bytes = size_t{256} << 20;  // of a request
  bool check_method_names = false;               // classify and regress only signatures that were exported for them
};

// What the services work on. All outlive the server.
struct GrpcContext {
  const ModelManager& models;
  Batcher& batcher;
  Metrics& metrics;
  // Serves these models instead, and returns when they are loaded.
  std::function<Status(std::vector<ModelConfig>)> reload;
};

class GrpcServer {
 public:
  static Result<std::unique_ptr<GrpcServer>> Listen(const GrpcOptions& options, const GrpcContext& context);
  virtual ~GrpcServer() = default;  // stops without grace

  virtual uint16_t port() const = 0;
  // Takes no more calls, lets the running ones end for at most `grace`, then cancels them. Idempotent.
  virtual void Stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace headrace::serving
