// send.h: requests with the members of the services' own operations, and replies of the same kind. The headers beside
// this one declare them, one a service: every operation that Headrace has.
//
//   #include "headrace/operations/sagemaker.h"
//   namespace ops = headrace::operations;
//   const auto jobs = ops::Send(session, ops::sagemaker::ListTrainingJobsRequest{.max_results = 5});
//   if (!jobs) std::fprintf(stderr, "%s\n", jobs.error().what());
//
// What a request leaves out (an empty text, list or map, an optional without a value) is not sent. A member of a reply
// that the service did not send is empty.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "headrace/sagemaker.h"

namespace headrace::operations {

using headrace::sagemaker::CallOptions;
using headrace::sagemaker::Outcome;
using headrace::sagemaker::Session;
using Timestamp = std::chrono::system_clock::time_point;  // to the millisecond

template <typename Request>
Outcome<typename Request::Reply> Send(const Session& session, const Request& request, const CallOptions& options = {});

}  // namespace headrace::operations
