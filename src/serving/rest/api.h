// The model server's HTTP interface: TensorFlow Serving's REST API, SageMaker's /ping and /invocations, metrics.
#pragma once

#include <string>

#include "http/message.h"
#include "serving/model/batcher.h"
#include "serving/model/model_manager.h"
#include "serving/rest/metrics.h"

namespace headrace::serving {

struct RestOptions {
  size_t max_body_bytes = size_t{256} << 20;  // also of a body that is inflated
  bool cors = false;
  bool check_method_names = false;  // classify and regress only signatures that were exported for them
  std::string metrics_path;         // one more for /metrics; or none
  std::string default_model;        // of /ping and /invocations; "" is the only one, or the first by name
};

class RestApi {
 public:
  // All outlive the API.
  RestApi(const ModelManager& models, Batcher& batcher, Metrics& metrics, RestOptions options)
      : models_(models), batcher_(batcher), metrics_(metrics), options_(std::move(options)) {}

  http::Task<http::Response> Handle(http::Request& request);

 private:
  struct Call {  // what is asked of a model
    std::string model;
    VersionChoice version;
    std::string method;      // predict, classify, regress
    bool sagemaker = false;  // /invocations
  };
  struct Outcome {
    http::Response response;
    int64_t rows = 0;
    double compute_seconds = 0;
  };

  http::Task<http::Response> Invoke(http::Request& request, Call call);
  http::Task<Result<Outcome>> Compute(http::Request& request, const Call& call);
  http::Response Get(const http::Request& request, const std::string& path);
  http::Response Metadata(const std::string& model, const VersionChoice& version);
  http::Response Status(const std::string& model, const VersionChoice& version);
  http::Response Ping();
  Result<Call> SageMakerCall(const http::Request& request);
  std::string DefaultModel() const;

  const ModelManager& models_;
  Batcher& batcher_;
  Metrics& metrics_;
  RestOptions options_;
};

}  // namespace headrace::serving
