#include "aws/gateway.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <strings.h>

#include "aws/auth.h"
#include "aws/cbor_codec.h"
#include "aws/digest.h"
#include "aws/inflate.h"
#include "aws/json_codec.h"
#include "aws/known_operations.h"
#include "aws/limits.h"
#include "aws/not_here.h"
#include "aws/payload.h"
#include "aws/post_form.h"
#include "aws/query_codec.h"
#include "aws/s3_request.h"
#include "aws/sign.h"
#include "aws/xml.h"
#include "base/log.h"
#include "http/blocking.h"
#include "http/memory_body.h"

namespace headrace::aws {
namespace {

using http::BodyLoan;
using http::MemoryBody;
using http::Request;
using http::Response;
using http::Task;

constexpr std::string_view kFormType = "application/x-www-form-urlencoded";
constexpr std::string_view kCborType = "application/cbor";

bool StartsWithoutCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && ::strncasecmp(text.data(), prefix.data(), prefix.size()) == 0;
}

bool IsForm(const Request& request) { return StartsWithoutCase(request.headers.Get("content-type"), kFormType); }

bool IsRuntimePath(std::string_view path) { return path.starts_with("/endpoints/") || path == "/BatchPutMetrics"; }

ServiceError Internal() {
  return {"InternalFailure",
          "The request processing has failed because of an unknown error, exception or failure.",
          500,
          {},
          {}};
}

ServiceError BodyFailure(const Error& error) {
  if (error.code() == ErrorCode::kUnavailable)
    return {"RequestTimeoutException", "The body did not arrive in time: " + error.message(), 400, {}, {}};
  return {"IncompleteBody", "The body did not arrive as a whole: " + error.message(), 400, {}, {}};
}

ServiceError Busy() {
  return {
      "ServiceUnavailable", "The server is busy: too many large requests wait in its memory; try again.", 503, {}, {}};
}

// The whole body, or why not. Memory grows with what has arrived, not with what was announced.
Task<Reply<std::string>> ReadBody(Request& request, size_t limit, BodyMemory::Share& share) {
  constexpr size_t kPiece = size_t{64} << 10;
  if (request.content_length.value_or(0) > limit)
    co_return Refuse("RequestEntityTooLargeException",
                     fmt::format("The body is longer than {} bytes: {}.", limit, *request.content_length), 413);
  std::string body;
  std::vector<char> piece(std::clamp<size_t>(request.content_length.value_or(kPiece), 1, kPiece));
  while (true) {
    auto count = co_await request.body->Read(piece);
    if (!count) co_return tl::unexpected(BodyFailure(count.error()));
    if (*count == 0) co_return body;
    if (*count > limit - body.size())
      co_return Refuse("RequestEntityTooLargeException", fmt::format("The body is longer than {} bytes.", limit), 413);
    if (!share.Grow(*count)) co_return tl::unexpected(Busy());
    body.append(piece.data(), *count);
  }
}

Reply<QueryCall> ReadForm(const Request& request, std::string_view body) {
  if (static_cast<size_t>(std::count(body.begin(), body.end(), '&')) > kMaxParameters)
    return Refuse("MalformedQueryString", fmt::format("The form has more than {} parameters.", kMaxParameters));
  auto parameters = http::QueryParameters(request.query);
  for (auto& pair : http::QueryParameters(body)) parameters.push_back(std::move(pair));
  return DecodeQuery(parameters);
}

std::string QueryErrorHeader(const ServiceError& error) {
  return fmt::format("{};{}", error.query_code.empty() ? error.code : error.query_code,
                     error.status < 500 ? "Sender" : "Receiver");
}

Reply<Json> RunSafely(const Operation& operation, const Call& call, const Json& input) {
  try {
    return operation(call, input);
  } catch (const Json::exception& wrong_type) {
    return Refuse("SerializationException",
                  fmt::format("A member has another type than the operation wants: {}", wrong_type.what()));
  } catch (const std::exception& problem) {
    Log(LogLevel::kError, "request {}: {}", call.request_id, problem.what());
    return tl::unexpected(Internal());
  }
}

Task<Reply<Response>> Ready(Reply<Response> outcome) { co_return outcome; }

struct Signer {
  SignatureClaim claim;
  SigningKey key;
};

// All of the check that needs no body.
Checked<Signer> FindSigner(const Request& request, std::string_view signing_name, const GatewayOptions& options) {
  auto claim = ParseClaim(request);
  if (!claim) return tl::unexpected(std::move(claim.error()));
  if (!signing_name.empty() && claim->service != signing_name)
    return tl::unexpected(
        AuthFailure{AuthProblem::kWrongService,
                    fmt::format("Credential should be scoped to correct service: '{}'.", signing_name),
                    {}});
  auto key = CheckClaim(*claim, request, options.keys, options.clock.Now());
  if (!key) return tl::unexpected(std::move(key.error()));
  return Signer{std::move(*claim), std::move(*key)};
}

bool IsGzip(const Request& request) { return StartsWithoutCase(request.headers.Get("content-encoding"), "gzip"); }

}  // namespace

struct Gateway::Invocation {
  Call call;
  std::string body;
  std::shared_ptr<BodyMemory::Share> memory;
};

struct Gateway::Decoded {
  std::string operation;
  Json input;
};

Gateway::Gateway(GatewayOptions options) : options_(std::move(options)), body_memory_(kMaxBodyMemory) {}
Gateway::~Gateway() = default;

void Gateway::Add(Service service) { services_.push_back(std::move(service)); }
void Gateway::SetS3(RestService service) { s3_ = std::move(service); }
void Gateway::SetRuntime(RestService service) { runtime_ = std::move(service); }

const Operation* Gateway::FindOperation(std::string_view signing_name, std::string_view operation) const {
  for (const Service& service : services_)
    if (const auto found = service.operations.find(operation);
        service.signing_name == signing_name && found != service.operations.end())
      return &found->second;
  return nullptr;
}

const Service* Gateway::FindService(std::string_view target_prefix) const {
  for (const Service& service : services_)
    if (!service.target_prefix.empty() && service.target_prefix == target_prefix) return &service;
  return nullptr;
}

Gateway::Route Gateway::FindRoute(const Request& request) const {
  constexpr std::string_view kService = "/service/", kOperation = "/operation/";
  const std::string_view path = request.path;
  if (const size_t split = path.find(kOperation); path.starts_with(kService) && split != std::string_view::npos &&
                                                  request.headers.Get("smithy-protocol") == "rpc-v2-cbor") {
    const std::string name(path.substr(kService.size(), split - kService.size()));
    return {Protocol::kCbor, FindService(name), name, std::string(path.substr(split + kOperation.size()))};
  }
  if (const std::string* target = request.headers.Find("x-amz-target")) {
    const size_t dot = std::min(target->rfind('.'), target->size());
    const std::string name = target->substr(0, dot);
    return {Protocol::kJson, FindService(name), name, target->substr(std::min(dot + 1, target->size()))};
  }
  const std::string claimed = ClaimedService(request);
  if (claimed == "s3") return {Protocol::kS3, nullptr, claimed, {}};
  if (IsRuntimePath(path) && (claimed.empty() || claimed == "sagemaker"))
    return {Protocol::kRuntime, nullptr, "sagemaker", {}};
  for (const Service& service : services_)
    if (!claimed.empty() && service.signing_name == claimed && path == "/")
      return {service.query_version.empty() ? Protocol::kJson : Protocol::kQuery, &service, claimed, {}};
  if (IsForm(request)) return {Protocol::kQuery, nullptr, claimed, {}};
  if (claimed.empty()) return {Protocol::kS3, nullptr, claimed, {}};
  if (SpeaksRestXml(claimed)) return {Protocol::kRestXml, nullptr, claimed, {}};
  return {path == "/" ? Protocol::kJson : Protocol::kRestJson, nullptr, claimed, {}};
}

Call Gateway::MakeCall(const Request& request, const SignatureClaim& claim, const SigningKey& key) const {
  Call call;
  call.caller = key.identity;
  call.request_id = request.id;
  call.region = claim.region.empty() ? options_.default_region : claim.region;
  call.endpoint = fmt::format("{}://{}", request.secure ? "https" : "http", request.headers.Get("host"));
  call.now = options_.clock.Now();
  return call;
}

// Coroutines here await calls of named values only: GCC 12 destroys some temporaries of an awaiting expression twice.
Task<Reply<Gateway::Invocation>> Gateway::Authenticate(Request& request, std::string_view signing_name,
                                                       size_t body_limit,
                                                       ServiceError (*words)(const AuthFailure&)) const {
  const Checked<Signer> signer = FindSigner(request, signing_name, options_);
  if (!signer) co_return tl::unexpected(words(signer.error()));
  const auto memory = std::make_shared<BodyMemory::Share>(body_memory_);
  Reply<std::string> body = co_await ReadBody(request, body_limit, *memory);
  if (!body) co_return tl::unexpected(std::move(body.error()));
  const Reply<std::string> hash = co_await HashOf(*body);
  if (!hash) co_return tl::unexpected(hash.error());
  const Checked<void> signature = CheckSignature(signer->claim, request, signer->key, *hash);
  if (!signature) co_return tl::unexpected(words(signature.error()));
  request.Trust();
  Invocation invocation;
  invocation.call = MakeCall(request, signer->claim, signer->key);
  invocation.body = std::move(*body);
  invocation.memory = memory;
  co_return invocation;
}

Task<Reply<std::string>> Gateway::HashOf(const std::string& body) const {
  if (body.size() <= kMaxQuickBody) co_return PayloadHash(body);
  const auto work = [&]() -> Result<std::string> { return PayloadHash(body); };
  Result<std::string> hash = co_await http::OnPool(options_.pool, work);
  if (!hash) co_return Refuse("ServiceUnavailable", hash.error().message(), 503);
  co_return std::move(*hash);
}

Task<Reply<Json>> Gateway::Invoke(const Operation& operation, const Call& call, const Json& input) const {
  const auto work = [&] { return RunSafely(operation, call, input); };
  Result<Reply<Json>> outcome = co_await http::OnPool(options_.pool, work);
  if (!outcome) co_return Refuse("ServiceUnavailable", outcome.error().message(), 503);
  co_return std::move(*outcome);
}

Task<Reply<Gateway::Decoded>> Gateway::DecodeAnywhere(const Request& request, const Route& route,
                                                      Invocation& invocation) const {
  if (!IsGzip(request) && invocation.body.size() <= kMaxQuickBody) co_return Decode(request, route, invocation.body);
  if (IsGzip(request) && !invocation.memory->Grow(kMaxInflatedBody)) co_return tl::unexpected(Busy());
  const auto work = [&]() -> Result<Reply<Decoded>> { return Decode(request, route, invocation.body); };
  Result<Reply<Decoded>> decoded = co_await http::OnPool(options_.pool, work);
  if (!decoded) co_return Refuse("ServiceUnavailable", decoded.error().message(), 503);
  co_return std::move(*decoded);
}

Reply<Gateway::Decoded> Gateway::Decode(const Request& request, const Route& route, const std::string& body) const {
  std::string inflated;
  if (IsGzip(request)) {
    auto text = GunzipBody(body, kMaxInflatedBody);
    if (!text) return tl::unexpected(std::move(text.error()));
    inflated = std::move(*text);
  }
  const std::string& plain = IsGzip(request) ? inflated : body;
  if (route.protocol == Protocol::kQuery) {
    auto form = ReadForm(request, plain);
    if (!form) return tl::unexpected(std::move(form.error()));
    if (route.service == nullptr || !route.service->operations.contains(form->action))
      return tl::unexpected(
          UnknownOperation(route.service != nullptr, route.service_name, form->action, form->version, true));
    return Decoded{route.service->operations.find(form->action)->first, std::move(form->input)};
  }
  if (route.service == nullptr || !route.service->operations.contains(route.operation))
    return tl::unexpected(UnknownOperation(route.service != nullptr, route.service_name, route.operation, {}, false));
  auto input = route.protocol == Protocol::kCbor ? DecodeCbor(plain) : DecodeJson(plain);
  if (!input) return tl::unexpected(std::move(input.error()));
  return Decoded{route.operation, std::move(*input)};
}

Response Gateway::Encode(const Route& route, std::string_view operation, const Json& reply,
                         std::string_view request_id) const {
  switch (route.protocol) {
    case Protocol::kQuery:
      return http::TextResponse(200, "text/xml", EncodeQueryReply(*route.service, operation, reply, request_id));
    case Protocol::kCbor:
      return http::TextResponse(200, kCborType, EncodeCbor(reply, route.service->timestamps));
    default:
      return http::TextResponse(200, "application/x-amz-json-" + route.service->json_version, EncodeJson(reply));
  }
}

Task<Reply<Response>> Gateway::RunOperation(Request& request, const Route& route) const {
  const std::string signing_name = route.service != nullptr ? route.service->signing_name : "";
  auto* words = route.protocol == Protocol::kQuery ? QueryAuthError : JsonAuthError;
  Reply<Invocation> invocation = co_await Authenticate(request, signing_name, kMaxOperationBody, words);
  if (!invocation) co_return tl::unexpected(std::move(invocation.error()));
  const Reply<Decoded> decoded = co_await DecodeAnywhere(request, route, *invocation);
  if (!decoded) co_return tl::unexpected(decoded.error());
  request.log_detail = fmt::format("{} {}", signing_name, decoded->operation);
  const Operation& operation = route.service->operations.find(decoded->operation)->second;
  const Reply<Json> reply = co_await Invoke(operation, invocation->call, decoded->input);
  if (!reply) co_return tl::unexpected(reply.error());
  co_return Encode(route, decoded->operation, *reply, request.id);
}

Response Gateway::ErrorResponse(const ServiceError& error, const Request& request, const Route& route) const {
  switch (route.protocol) {
    case Protocol::kS3:
      return S3ErrorResponse(error, request);
    case Protocol::kRuntime:
    case Protocol::kRestJson:
      return RuntimeErrorResponse(error, request);
    case Protocol::kRestXml:
      return RestXmlErrorResponse(error, request);
    case Protocol::kQuery:
      if (route.service == nullptr && route.service_name == "ec2")
        return http::TextResponse(error.status, "text/xml", EncodeEc2Error(error, request.id));
      return http::TextResponse(error.status, "text/xml", EncodeQueryError(route.service, error, request.id));
    case Protocol::kJson:
    case Protocol::kCbor:
      break;
  }
  const Json document = ErrorDocument(error);
  const std::string version = route.service != nullptr ? route.service->json_version : "1.1";
  Response response = route.protocol == Protocol::kCbor
                          ? http::TextResponse(error.status, kCborType, EncodeCbor(document, {}))
                          : http::TextResponse(error.status, "application/x-amz-json-" + version, EncodeJson(document));
  if (request.headers.Has("x-amzn-query-mode")) response.headers.Set("x-amzn-query-error", QueryErrorHeader(error));
  return response;
}

// A form says in its fields who sends it, so these are read first; the file goes to the service as a body of its own.
Task<Reply<Response>> Gateway::RunS3Form(Request& request) const {
  const auto form = co_await PostFormReader::Open(request, *request.body);
  if (!form) co_return tl::unexpected(form.error());
  const auto access = CheckPostSignature((*form)->form(), options_.keys, options_.clock.Now());
  if (!access) co_return tl::unexpected(access.error());
  request.Trust();
  PreparePostRequest(request, (*form)->form());
  const auto payload = PayloadReader::Make(request, **form, {});
  if (!payload) co_return tl::unexpected(payload.error());
  const BodyLoan loan(request, **payload);
  SignatureClaim claim;
  claim.region = access->region;
  Call call = MakeCall(request, claim, access->key);
  call.form = &(*form)->form();
  call.form_policy = access->policy;
  Response response = co_await s3_(call, request);
  co_return response;
}

Task<Reply<Response>> Gateway::RunS3(Request& request) const {
  request.log_detail = "s3";
  if (IsPostForm(request) && s3_) {
    auto response = co_await RunS3Form(request);
    co_return response;
  }
  Reply<S3Access> access = CheckS3Access(request, options_.keys, options_.clock.Now());
  if (!access) co_return tl::unexpected(std::move(access.error()));
  request.Trust();
  if (!s3_) co_return Refuse("NotImplemented", "This server has no S3 service.", 501);
  if (IsS3ControlPath(request.path)) co_return tl::unexpected(NoS3Control());
  const auto payload = PayloadReader::Make(request, *request.body, std::move(access->chunks));
  if (!payload) co_return tl::unexpected(payload.error());
  PrepareS3Request(request, access->claim);
  request.content_length = (*payload)->announced_size();
  const BodyLoan loan(request, **payload);
  const Call call = MakeCall(request, access->claim, access->key);
  Response response = co_await s3_(call, request);
  co_return response;
}

Task<Reply<Response>> Gateway::RunRuntime(Request& request) const {
  request.log_detail = "sagemaker-runtime";
  const std::string_view signing_name = "sagemaker";
  Reply<Invocation> invocation = co_await Authenticate(request, signing_name, kMaxRuntimeBody, JsonAuthError);
  if (!invocation) co_return tl::unexpected(std::move(invocation.error()));
  if (!runtime_) co_return Refuse("UnknownOperationException", "This server has no sagemaker-runtime service.", 404);
  MemoryBody body(invocation->body);
  request.content_length = invocation->body.size();
  const BodyLoan loan(request, body);
  Response response = co_await runtime_(invocation->call, request);
  co_return response;
}

// Of the signature only that its key is one of ours is looked at: the answer tells nothing that others may not know.
Reply<Response> Gateway::RefusePath(const Request& request, const Route& route) const {
  const Checked<Signer> signer = FindSigner(request, {}, options_);
  if (!signer)
    return tl::unexpected(route.protocol == Protocol::kRestXml ? QueryAuthError(signer.error())
                                                               : JsonAuthError(signer.error()));
  return tl::unexpected(UnknownPath(route.service_name, request));
}

Task<Reply<Response>> Gateway::Run(Request& request, const Route& route) const {
  switch (route.protocol) {
    case Protocol::kS3:
      return RunS3(request);
    case Protocol::kRuntime:
      return RunRuntime(request);
    case Protocol::kRestJson:
    case Protocol::kRestXml:
      return Ready(RefusePath(request, route));
    default:
      return RunOperation(request, route);
  }
}

Task<Response> Gateway::Handle(Request& request) {
  const Route route = FindRoute(request);
  if (route.service != nullptr) request.log_detail = route.service->signing_name;
  Reply<Response> outcome = tl::unexpected(Internal());
  try {
    outcome = co_await Run(request, route);
  } catch (const std::exception& problem) {
    Log(LogLevel::kError, "request {}: {}", request.id, problem.what());
    if (route.protocol == Protocol::kS3) outcome.error().code = "InternalError";
  }
  Response response = outcome ? std::move(*outcome) : ErrorResponse(outcome.error(), request, route);
  if (route.protocol == Protocol::kCbor) response.headers.Set("smithy-protocol", "rpc-v2-cbor");
  if (route.protocol == Protocol::kS3) {
    response.headers.Set("x-amz-request-id", request.id);
    response.headers.Set("x-amz-id-2", request.id);
  } else {
    response.headers.Set("x-amzn-RequestId", request.id);
  }
  co_return response;
}

Response RuntimeErrorResponse(const ServiceError& error, const Request& request) {
  Json document = ErrorDocument(error);
  document.erase("__type");
  Response response = http::TextResponse(error.status, "application/json", EncodeJson(document));
  response.headers.Set("x-amzn-ErrorType", error.code);
  response.headers.Set("x-amzn-RequestId", request.id);
  return response;
}

}  // namespace headrace::aws
