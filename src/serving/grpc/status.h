// Between our errors and gRPC's, and what services need of a model's name.
#pragma once

#include <grpcpp/grpcpp.h>

#include "base/result.h"
#include "serving/model/model_manager.h"
#include "serving/proto/inference.pb.h"

namespace headrace::serving {

grpc::StatusCode CodeOf(ErrorCode code);
grpc::Status ToGrpc(const Error& error);
const char* NameOfCode(grpc::StatusCode code);  // "INVALID_ARGUMENT"

VersionChoice ChoiceOf(const ::tensorflow::serving::ModelSpec& spec);

}  // namespace headrace::serving
