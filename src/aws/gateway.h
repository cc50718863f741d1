// Gateway: the one door of all AWS services. Tells the service and protocol of a request, verifies its signature,
// decodes it, runs the operation and writes the reply or error in the protocol's own form.
//
//   Gateway gateway({.keys = keys, .clock = clock, .pool = pool});
//   gateway.Add(SageMakerService(…));   gateway.SetS3(…);   gateway.SetRuntime(…);
//   server = http::Server::Listen(…, [&](http::Request& request) { return gateway.Handle(request); });
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "aws/body_memory.h"
#include "aws/identity.h"
#include "aws/service.h"
#include "base/clock.h"
#include "base/thread_pool.h"
#include "http/message.h"

namespace headrace::aws {

struct GatewayOptions {
  const KeyLookup& keys;
  const Clock& clock;
  ThreadPool& pool;                          // where operations run
  std::string default_region = "us-east-1";  // Call::region where a signature has none (version 2)
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

  // An operation of a service with documents, for what runs in this process in the name of a caller who has been
  // authenticated; null when there is none.
  const Operation* FindOperation(std::string_view signing_name, std::string_view operation) const;

  // For S3, request.body is a PayloadReader (payload.h), request.content_length the object's size where it is known,
  // and aws-chunked is gone from Content-Encoding. Of presigned requests, query parameters x-amz-* that are headers
  // elsewhere have become headers. Every request has been authenticated.
  http::Task<http::Response> Handle(http::Request& request);

 private:
  enum class Protocol { kJson, kQuery, kCbor, kS3, kRuntime, kRestJson, kRestXml };  // the last two: not here
  struct Route {
    Protocol protocol = Protocol::kS3;
    const Service* service = nullptr;  // null: none of ours, or REST
    std::string service_name;          // what the request calls it
    std::string operation;             // of JSON and CBOR; Query has it in the form
  };
  struct Invocation;  // an authenticated request: its caller and its body
  struct Decoded;     // an operation's name and input

  Route FindRoute(const http::Request& request) const;
  const Service* FindService(std::string_view target_prefix) const;
  Call MakeCall(const http::Request& request, const struct SignatureClaim& claim, const SigningKey& key) const;
  Reply<Decoded> Decode(const http::Request& request, const Route& route, const std::string& body) const;
  http::Task<Reply<Decoded>> DecodeAnywhere(const http::Request& request, const Route& route,
                                            Invocation& invocation) const;
  http::Task<Reply<std::string>> HashOf(const std::string& body) const;
  http::Response Encode(const Route& route, std::string_view operation, const Json& reply,
                        std::string_view request_id) const;
  http::Response ErrorResponse(const ServiceError& error, const http::Request& request, const Route& route) const;

  http::Task<Reply<Invocation>> Authenticate(http::Request& request, std::string_view signing_name, size_t body_limit,
                                             ServiceError (*words)(const struct AuthFailure&)) const;
  http::Task<Reply<Json>> Invoke(const Operation& operation, const Call& call, const Json& input) const;
  http::Task<Reply<http::Response>> Run(http::Request& request, const Route& route) const;
  http::Task<Reply<http::Response>> RunOperation(http::Request& request, const Route& route) const;
  http::Task<Reply<http::Response>> RunS3(http::Request& request) const;
  http::Task<Reply<http::Response>> RunS3Form(http::Request& request) const;
  http::Task<Reply<http::Response>> RunRuntime(http::Request& request) const;
  Reply<http::Response> RefusePath(const http::Request& request, const Route& route) const;

  const GatewayOptions options_;
  mutable BodyMemory body_memory_;
  std::deque<Service> services_;
  RestService s3_, runtime_;
};

// S3's form of an error: <Error><Code>…. No body for HEAD.
http::Response S3ErrorResponse(const ServiceError& error, const http::Request& request);
// rest-json's: x-amzn-ErrorType and {"message": …} plus the error's details.
http::Response RuntimeErrorResponse(const ServiceError& error, const http::Request& request);

}  // namespace headrace::aws
