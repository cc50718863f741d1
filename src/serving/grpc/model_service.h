// ModelService: which versions there are, and a new configuration.
#pragma once

#include "serving/grpc/grpc_server.h"
#include "serving/grpc/services.grpc.pb.h"
#include "serving/grpc/status.h"

namespace headrace::serving {

// Synchronous: a reload takes as long as loading does, and there are few of these calls.
class ModelService final : public ::tensorflow::serving::ModelService::Service {
 public:
  explicit ModelService(const GrpcContext& context) : context_(context) {}

  grpc::Status GetModelStatus(grpc::ServerContext* call, const ::tensorflow::serving::GetModelStatusRequest* request,
                              ::tensorflow::serving::GetModelStatusResponse* response) override;
  grpc::Status HandleReloadConfigRequest(grpc::ServerContext* call,
                                         const ::tensorflow::serving::ReloadConfigRequest* request,
                                         ::tensorflow::serving::ReloadConfigResponse* response) override;

 private:
  const GrpcContext context_;
};

}  // namespace headrace::serving
