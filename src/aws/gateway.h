// Gateway: the one door of all AWS services. Tells the service and protocol of a request, verifies its signature,
// decodes it, runs the operation and writes the reply or error in the protocol's own form.
//
//   Gateway gateway({.keys = keys, .clock = clock, .pool = pool});
//   gateway.Add(SageMakerService(…));   gateway.SetS3(…);   gateway.SetRuntime(…);
//   server = http::Server::Listen(…, [&](http::Request& request) { return gateway.Handle(request); });
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "aws/identity.h"
#include "aws/service.h"
#include "base/clock.h"
#include "base/thread_pool.h"
#include "http/message.h"

namespace headrace::aws {

struct GatewayOptions {
  const KeyLookup& keys;
  const Clock& clock;
  ThreadPool& pool;  // where operations run
};

class Gateway {
 public:
  explicit Gateway(GatewayOptions options);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Before the first request.
  void Add(Service service);
  void SetS3(RestService service);
  // sagemaker-runtime and sagemaker-metrics: /endpoints/…, /BatchPutMetrics. The body is in memory, verified.
  void SetRuntime(RestService service);

  // For S3, request.body is a PayloadReader (payload.h), request.content_length the object's size where it is known,
  // and aws-chunked is gone from Content-Encoding. Of presigned requests, query parameters x-amz-* that are headers
  // elsewhere have become headers. Every request has been authenticated.
  http::Task<http::Response> Handle(http::Request& request);

 private:
  enum class Protocol { kJson, kQuery, kCbor, kS3, kRuntime };
  struct Route;
  struct Reading;

  Route FindRoute(const http::Request& request) const;
  http::Task<http::Response> HandleOperation(http::Request& request, const Route& route);
  http::Task<http::Response> HandleS3(http::Request& request);
  http::Task<http::Response> HandleRuntime(http::Request& request);

  GatewayOptions options_;
  std::vector<Service> services_;
  RestService s3_, runtime_;
};

// S3's form of an error: <Error><Code>…. No body for HEAD.
http::Response S3ErrorResponse(const ServiceError& error, const http::Request& request);
// rest-json's: x-amzn-ErrorType and {"message": …} plus the error's details.
http::Response RuntimeErrorResponse(const ServiceError& error, const http::Request& request);

}  // namespace headrace::aws
