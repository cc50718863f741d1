// PredictionService: requests are decoded on gRPC's threads, computed by the batcher and answered from its threads; no
// thread waits.
#pragma once

#include "serving/codec/predict_request.h"
#include "serving/grpc/grpc_server.h"
#include "serving/grpc/services.grpc.pb.h"
#include "serving/grpc/status.h"

namespace headrace::serving {

class PredictionService final : public ::tensorflow::serving::PredictionService::CallbackService {
 public:
  PredictionService(const GrpcOptions& options, const GrpcContext& context) : options_(options), context_(context) {}

  grpc::ServerUnaryReactor* Predict(grpc::CallbackServerContext* call,
                                    const ::tensorflow::serving::PredictRequest* request,
                                    ::tensorflow::serving::PredictResponse* response) override;
  grpc::ServerUnaryReactor* Classify(grpc::CallbackServerContext* call,
                                     const ::tensorflow::serving::ClassificationRequest* request,
                                     ::tensorflow::serving::ClassificationResponse* response) override;
  grpc::ServerUnaryReactor* Regress(grpc::CallbackServerContext* call,
                                    const ::tensorflow::serving::RegressionRequest* request,
                                    ::tensorflow::serving::RegressionResponse* response) override;
  grpc::ServerUnaryReactor* MultiInference(grpc::CallbackServerContext* call,
                                           const ::tensorflow::serving::MultiInferenceRequest* request,
                                           ::tensorflow::serving::MultiInferenceResponse* response) override;
  grpc::ServerUnaryReactor* GetModelMetadata(grpc::CallbackServerContext* call,
                                             const ::tensorflow::serving::GetModelMetadataRequest* request,
                                             ::tensorflow::serving::GetModelMetadataResponse* response) override;

 private:
  struct Target {
    std::shared_ptr<Servable> servable;
    int64_t version = 0;
    size_t signature = 0;
    const Signature& Of() const { return servable->signatures()[signature]; }
  };
  struct Call;
  struct Tasks;
  using Decode = std::function<Result<PredictInputs>(const Signature&)>;
  using Encode = std::function<Status(const Target&, const std::vector<Tensor>&)>;

  Status Start(const ::tensorflow::serving::MultiInferenceRequest& request, const std::shared_ptr<Tasks>& tasks);
  Result<Target> Find(const ::tensorflow::serving::ModelSpec& spec) const;
  grpc::ServerUnaryReactor* Run(grpc::CallbackServerContext* call, const ::tensorflow::serving::ModelSpec& spec,
                                const char* method, ::tensorflow::serving::ModelSpec* served, const Decode& decode,
                                Encode encode);

  const GrpcOptions options_;
  const GrpcContext context_;
};

}  // namespace headrace::serving
