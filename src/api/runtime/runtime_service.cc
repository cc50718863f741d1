#include "api/runtime/runtime_service.h"

#include <memory>
#include <optional>

#include <fmt/format.h>

#include "api/runtime/invocation_error.h"
#include "api/validation/shape.h"
#include "http/blocking.h"

namespace headrace::api {
namespace {

using http::Request;
using http::Response;
using http::Task;
using jobs::EndpointRoutes;
using Steady = std::chrono::steady_clock;

constexpr std::string_view kPathBegin = "/endpoints/", kPathEnd = "/invocations";
// The runtime's other operations, by the ends of their paths.
constexpr std::pair<std::string_view, const char*> kRefused[] = {
    {"/async-invocations", "InvokeEndpointAsync"},
    {"/invocations-response-stream", "InvokeEndpointWithResponseStream"}};
constexpr const char* kAttributes = "X-Amzn-SageMaker-Custom-Attributes";
constexpr const char* kNamePattern = "[a-zA-Z0-9](-*[a-zA-Z0-9])*";
constexpr size_t kLongestAttributes = 1024;
constexpr std::chrono::milliseconds kInstancePause{5};
// An instance that broke a connection has most likely ended; should it still stand, it is asked again after so long.
constexpr std::chrono::milliseconds kTrustAgain{500};

// What only other kinds of endpoints understand.
constexpr std::pair<const char*, const char*> kUnsupported[] = {
    {"X-Amzn-SageMaker-Target-Model", "TargetModel: the endpoint serves one model"},
    {"X-Amzn-SageMaker-Target-Container-Hostname", "TargetContainerHostname: the endpoint has one container"},
    {"X-Amzn-SageMaker-Enable-Explanations", "EnableExplanations: explanations are not offered here"},
    {"X-Amzn-SageMaker-Inference-Component", "InferenceComponentName: there are no inference components here"},
    {"X-Amzn-SageMaker-Session-Id", "SessionId: sessions are not offered here"},
    {"X-Amzn-SageMaker-Prefix-Aware-Id", "PrefixAwareId: no variant is routed by prefixes here"}};

// The headers that are checked, by the member that clients know them as.
constexpr std::pair<const char*, const char*> kMembers[] = {{"Accept", "Accept"},
                                                            {"ContentType", "Content-Type"},
                                                            {"InferenceId", "X-Amzn-SageMaker-Inference-Id"},
                                                            {"TargetVariant", "X-Amzn-SageMaker-Target-Variant"}};

Shape InvocationShape() {
  return Shape::Structure({{"Accept", Shape::Text(0, 1024, R"([\x00-\x7f]*)")},
                           {"ContentType", Shape::Text(0, 1024, R"([\x00-\x7f]*)")},
                           {"EndpointName", Shape::Text(0, 63, kNamePattern)},
                           {"InferenceId", Shape::Text(1, 64, R"(\S[\x20-\x7e]*)")},
                           {"TargetVariant", Shape::Text(0, 63, kNamePattern)}});
}

double MicrosBetween(Steady::time_point from, Steady::time_point to) {
  return std::chrono::duration<double, std::micro>(to - from).count();
}

// One invocation, from its request to its response.
class Invocation {
 public:
  Invocation(const RuntimeOptions& options, const aws::Call& call, Request& request, std::string endpoint)
      : options_(options), call_(call), request_(request), endpoint_(std::move(endpoint)) {}

  Task<Response> Run() {
    if (auto refused = Refusal()) co_return std::move(*refused);
    auto body = co_await http::ReadAll(*request_.body, options_.max_body_bytes);
    if (!body)
      co_return runtime::InvocationError(
          413, "", fmt::format("HTTP content length exceeded {} bytes.", options_.max_body_bytes));
    sent_ = MakeRequest(std::move(*body));
    auto failed = co_await TakeInstance(nullptr);
    if (failed) co_return std::move(*failed);
    auto answer = co_await Ask();
    if (!answer && !TimedOut(answer.error())) {
      // The instance ended before it answered: another one, or the same started again, is asked once.
      const std::shared_ptr<jobs::Target> broken = lease_->target();
      options_.client.Forget(broken->socket);
      failed = co_await TakeInstance(broken.get());
      if (failed) co_return std::move(*failed);
      answer = co_await Ask();
    }
    co_return Answer(std::move(answer));
  }

 private:
  std::optional<Response> Refusal() const {
    const auto refuse = [](const std::string& message) {
      return runtime::InvocationError(400, "ValidationError", message);
    };
    for (const auto& [header, why] : kUnsupported)
      if (request_.headers.Has(header)) return refuse(why);
    static const Shape kShape = InvocationShape();
    nlohmann::json members{{"EndpointName", endpoint_}};
    for (const auto& [member, header] : kMembers)
      if (std::string value = request_.headers.Get(header); !value.empty()) members[member] = std::move(value);
    if (const auto refused = Validate(kShape, members)) return refuse(refused->message);
    if (request_.headers.Get(kAttributes).size() > kLongestAttributes)
      return refuse(fmt::format("CustomAttributes: found {} bytes, wanted at most {}",
                                request_.headers.Get(kAttributes).size(), kLongestAttributes));
    return std::nullopt;
  }

  http::ClientRequest MakeRequest(std::string body) const {
    http::ClientRequest sent;
    sent.method = "POST";
    sent.target = "/invocations";
    for (const char* name : {"Content-Type", "Accept", kAttributes})
      if (const std::string* value = request_.headers.Find(name)) sent.headers.Set(name, *value);
    sent.body = std::move(body);
    return sent;
  }

  // Fills lease_, waiting for an instance that is being started; or the refusal.
  Task<std::optional<Response>> TakeInstance(const jobs::Target* except) {
    const std::string variant = request_.headers.Get("X-Amzn-SageMaker-Target-Variant");
    const auto begin = Steady::now();
    lease_.reset();
    while (true) {
      const auto waited = Steady::now() - begin;
      auto choice =
          options_.routes.Take(call_.caller.account_id, endpoint_, variant, waited < kTrustAgain ? except : nullptr);
      if (choice.lease) {
        lease_ = std::move(choice.lease);
        co_return std::nullopt;
      }
      if (choice.missing == EndpointRoutes::Missing::kEndpoint)
        co_return runtime::InvocationError(
            400, "ValidationError",
            fmt::format("Endpoint {} of account {} not found.", endpoint_, call_.caller.account_id));
      if (choice.missing == EndpointRoutes::Missing::kVariant)
        co_return runtime::InvocationError(400, "ValidationError",
                                           fmt::format("Could not find variant \"{}\" for endpoint {} of account {}.",
                                                       variant, endpoint_, call_.caller.account_id));
      if (waited >= options_.instance_time) {
        RecordUnserved(choice);
        co_return runtime::InvocationError(
            503, "ServiceUnavailable",
            fmt::format("Endpoint {} has no instance that serves; see the log group /aws/sagemaker/Endpoints/{}.",
                        endpoint_, endpoint_));
      }
      co_await http::Sleep(kInstancePause);
    }
  }

  Task<Result<http::ClientResponse>> Ask() {
    sent_.unix_socket = lease_->target()->socket;
    asked_ = Steady::now();
    auto answer = co_await options_.client.Send(sent_, options_.model_time);
    answered_ = Steady::now();
    co_return answer;
  }

  bool TimedOut(const Error& error) const {
    return error.code() != ErrorCode::kUnavailable || answered_ - asked_ >= options_.model_time;
  }

  Response Answer(Result<http::ClientResponse> answer) {
    Response response;
    if (answer && answer->status >= 200 && answer->status < 300) {
      response.status = 200;
      response.headers.Set("Content-Type", answer->headers.Has("Content-Type") ? answer->headers.Get("Content-Type")
                                                                               : "application/octet-stream");
      if (const std::string* attributes = answer->headers.Find(kAttributes))
        response.headers.Set(kAttributes, *attributes);
      response.body = std::move(answer->body);
    } else {
      runtime::ModelFailure failure{endpoint_, lease_->variant(), lease_->target()->instance, 0, {}};
      if (answer) {
        failure.status = answer->status;
        failure.body = std::move(answer->body);
      } else if (TimedOut(answer.error())) {
        failure.body =
            answer.error().code() == ErrorCode::kUnavailable
                ? "Your invocation timed out while waiting for a response from container primary. Review the latency "
                  "metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
                : answer.error().message();
      } else {
        failure.body = "the model server ended before it answered: " + answer.error().message();
      }
      response = runtime::ModelError(call_, failure);
    }
    response.headers.Set("x-Amzn-Invoked-Production-Variant", lease_->variant());
    Record(answer ? answer->status : 0);
    return response;
  }

  void Record(int status) const {
    const double model = MicrosBetween(asked_, answered_), total = MicrosBetween(begin_, Steady::now());
    options_.metrics.Record({call_.caller.account_id, endpoint_, lease_->variant(), lease_->instances(), status, model,
                             std::max(total - model, 0.0)});
  }

  // Nobody was there to ask: an error of the 5xx kind, whose time was all spent outside of a model.
  void RecordUnserved(const EndpointRoutes::Choice& choice) const {
    options_.metrics.Record({call_.caller.account_id, endpoint_, choice.variant, choice.instances, 0, std::nullopt,
                             MicrosBetween(begin_, Steady::now())});
  }

  const RuntimeOptions& options_;
  const aws::Call& call_;
  Request& request_;
  const std::string endpoint_;
  const Steady::time_point begin_ = Steady::now();
  http::ClientRequest sent_;
  std::optional<jobs::Lease> lease_;
  Steady::time_point asked_, answered_;
};

Response UnknownOperation(const Request& request) {
  std::string asked = request.method + " " + request.path;
  for (const auto& [end, operation] : kRefused)
    if (request.path.starts_with(kPathBegin) && request.path.ends_with(end)) asked = operation;
  return runtime::InvocationError(
      404, "UnknownOperationException",
      asked + ": not implemented by Headrace; there is InvokeEndpoint, POST /endpoints/NAME/invocations");
}

Task<Response> Handle(std::shared_ptr<const RuntimeOptions> options, const aws::Call& call, Request& request) {
  const std::string_view path = request.path;
  if (!path.starts_with(kPathBegin) || !path.ends_with(kPathEnd) || request.method != "POST" ||
      path.size() < kPathBegin.size() + kPathEnd.size())
    co_return UnknownOperation(request);
  request.log_detail = "sagemaker-runtime InvokeEndpoint";
  Invocation invocation(
      *options, call, request,
      http::PercentDecode(path.substr(kPathBegin.size(), path.size() - kPathBegin.size() - kPathEnd.size())));
  co_return co_await invocation.Run();
}

}  // namespace

aws::RestService RuntimeService(RuntimeOptions options) {
  return [shared = std::make_shared<const RuntimeOptions>(options)](const aws::Call& call, Request& request) {
    return Handle(shared, call, request);
  };
}

}  // namespace headrace::api
