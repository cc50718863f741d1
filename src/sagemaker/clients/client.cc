#include <nlohmann/json.hpp>

#include "headrace/aws_clients.h"

#include "sagemaker/clients/call.h"
#include "sagemaker/clients/query.h"
#include "sagemaker/transport/signing.h"

namespace headrace::sagemaker {
namespace {

const Service& DocumentService(std::string_view name) {
  const Service* service = FindService(name);
  if (service == nullptr || service->protocol == Protocol::kRest)
    throw Error(ErrorCode::kInvalidArgument,
                "service: found '" + std::string(name) + "', wanted sagemaker, logs, cloudwatch, sts, iam or headrace");
  return *service;
}

}  // namespace

struct Client::Impl {
  const Service& service;
  std::shared_ptr<Configuration> configuration;

  Outcome<std::string> CallJson(const std::string& operation, std::string_view input,
                                const CallOptions& options) const {
    ServiceRequest request{.service = service, .operation = operation, .body = input.empty() ? "{}" : input};
    request.headers = {{"Content-Type", "application/x-amz-json-" + std::string(service.version)},
                       {"X-Amz-Target", std::string(service.target) + "." + operation}};
    if (service.name == "cloudwatch") request.headers.push_back({"x-amzn-query-mode", "true"});
    auto reply = Send(*configuration, request, options);
    if (!reply.ok()) return reply.error();
    return reply->body.empty() ? std::string("{}") : std::move(reply->body);
  }

  Outcome<std::string> CallQuery(const std::string& operation, std::string_view input,
                                 const CallOptions& options) const {
    const auto document = nlohmann::json::parse(input.empty() ? "{}" : input, nullptr, false);
    if (!document.is_object())
      return LocalError(ErrorCode::kInvalidArgument, "Configuration", operation + ": wanted a JSON object as input");
    const std::string form = QueryForm(operation, service.version, document);
    ServiceRequest request{.service = service, .operation = operation, .body = form};
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
    auto reply = Send(*configuration, request, options);
    if (!reply.ok()) return reply.error();
    auto read = ReadQueryReply(operation, reply->body);
    if (!read.ok()) return read.error();
    return read->dump();
  }
};

Client::Client(std::string_view service, const ClientOptions& options)
    : Client(service, Configuration::Make(options)) {}

Client::Client(std::string_view service, std::shared_ptr<Configuration> configuration)
    : impl_(std::make_shared<Impl>(Impl{DocumentService(service), std::move(configuration)})) {}

Outcome<std::string> Client::Call(std::string_view operation, std::string_view input,
                                  const CallOptions& options) const {
  const std::string name(operation);
  return impl_->service.protocol == Protocol::kQuery ? impl_->CallQuery(name, input, options)
                                                     : impl_->CallJson(name, input, options);
}

RuntimeClient::RuntimeClient(const ClientOptions& options) : RuntimeClient(Configuration::Make(options)) {}
RuntimeClient::RuntimeClient(std::shared_ptr<Configuration> configuration) : configuration_(std::move(configuration)) {}

Outcome<InvokeEndpointReply> RuntimeClient::InvokeEndpoint(const InvokeEndpointRequest& request,
                                                           const CallOptions& options) const {
  ServiceRequest http{
      .service = *FindService("sagemaker-runtime"), .operation = "InvokeEndpoint", .body = request.body};
  http.path = "/endpoints/" + UriEncode(request.endpoint_name) + "/invocations";
  http.headers = {{"Content-Type", request.content_type}, {"Accept", request.accept}};
  if (!request.custom_attributes.empty())
    http.headers.push_back({"X-Amzn-SageMaker-Custom-Attributes", request.custom_attributes});
  if (!request.target_variant.empty())
    http.headers.push_back({"X-Amzn-SageMaker-Target-Variant", request.target_variant});
  auto reply = Send(*configuration_, http, options);
  if (!reply.ok()) return reply.error();
  return InvokeEndpointReply{std::move(reply->body), reply->Header("Content-Type"),
                             reply->Header("x-amzn-Invoked-Production-Variant")};
}

}  // namespace headrace::sagemaker
