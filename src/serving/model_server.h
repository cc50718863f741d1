// ModelServer: models, batcher, HTTP and gRPC servers, built and joined. What `headrace model-server` runs.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "serving/model/batcher.h"
#include "serving/model/model_config.h"
#include "serving/model/model_manager.h"
#include "serving/rest/api.h"

namespace headrace::serving {

struct ModelServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;                  // 0: any free one
  std::string socket_path;            // of a Unix socket for HTTP, instead of address and port; "": none
  std::optional<uint16_t> grpc_port;  // none: no gRPC; 0: any free one
  std::vector<ModelConfig> models;
  std::string config_file;                   // a ModelServerConfig; read again every config_poll
  std::chrono::milliseconds poll{1000};      // of the models' directories; 0: only once
  std::chrono::milliseconds config_poll{0};  // of config_file; 0: only once
  LoadRetries retries;
  AbsentLabels absent_labels = AbsentLabels::kRefused;
  BatchingParameters batching;
  int openmp_threads = 0;  // of each compute thread; 0: the processors divided by the compute threads
  size_t http_threads = 2;
  size_t max_connections = 1024;
  bool bfloat16 = false;
  std::string tensorflow_library = "auto";  // a path, "auto" or "none": for models beyond our engine
  bool warm_up = true;                      // run the requests in a version's assets.extra before it serves
  int64_t warm_up_iterations = 1;           // of each
  RestOptions rest;
};

class ModelServer {
 public:
  // Loads what there is, then listens. A model that cannot be loaded is an error only when `strict`.
  static Result<std::unique_ptr<ModelServer>> Start(const ModelServerOptions& options, bool strict);
  virtual ~ModelServer() = default;

  virtual uint16_t port() const = 0;
  virtual uint16_t grpc_port() const = 0;  // 0 without gRPC
  virtual bool ready() const = 0;          // every model has a version that serves
  virtual void Stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace headrace::serving
