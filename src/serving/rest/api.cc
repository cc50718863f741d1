#include "serving/rest/api.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include <strings.h>

#include "base/log.h"
#include "serving/codec/classify.h"
#include "serving/codec/csv.h"
#include "serving/codec/json_response.h"
#include "serving/codec/npy.h"
#include "serving/codec/predict_request.h"
#include "serving/rest/body.h"
#include "serving/rest/compute.h"
#include "serving/rest/metadata_json.h"

namespace headrace::serving {
namespace {

using http::Request;
using http::Response;
using Clock = std::chrono::steady_clock;

constexpr const char* kJson = "application/json";
constexpr const char* kNpy = "application/x-npy";
constexpr const char* kRaw = "application/octet-stream";

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Response JsonError(int status, std::string_view message) {
  std::string body = "{\n    \"error\": ";
  AppendJsonString(message, body);
  return http::TextResponse(status, kJson, body + "\n}");
}

int StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kFailedPrecondition:
    case ErrorCode::kDataLoss:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kAlreadyExists:
      return 409;
    case ErrorCode::kResourceExhausted:
      return 413;
    case ErrorCode::kUnavailable:
      return 503;
    case ErrorCode::kInternal:
      return 500;
  }
  return 500;
}

const char* NameOfStatus(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
    case 415:
      return "INVALID_ARGUMENT";
    case 404:
      return "NOT_FOUND";
    case 413:
      return "RESOURCE_EXHAUSTED";
    case 503:
      return "UNAVAILABLE";
    default:
      return "INTERNAL";
  }
}

Response ErrorResponse(const Error& error) { return JsonError(StatusOf(error.code()), error.message()); }

// The first media type of an Accept header; "" for none or any.
std::string Accepted(const Request& request) {
  std::string accept = request.headers.Get("Accept");
  accept = http::MediaType(accept.substr(0, accept.find(',')));
  return accept == "*/*" ? "" : accept;
}

// Takes `prefix` off the front of `text`, without regard to case.
bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (text.size() < prefix.size() || ::strncasecmp(text.data(), prefix.data(), prefix.size()) != 0) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<int64_t> ParseVersion(std::string_view text) {
  int64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  const bool fine = error == std::errc() && end == text.data() + text.size() && version >= 0;
  return fine ? std::optional(version) : std::nullopt;
}

// NAME[/versions/N|/labels/LABEL][rest], rest starting with ':' or '/'.
struct ModelPath {
  std::string model;
  VersionChoice version;
  std::string_view rest;
};
std::optional<ModelPath> ParseModelPath(std::string_view path) {
  ModelPath parsed;
  const auto word = [&] {
    const size_t end = std::min(path.find_first_of("/:"), path.size());
    const std::string_view taken = path.substr(0, end);
    path.remove_prefix(end);
    return taken;
  };
  parsed.model = http::PercentDecode(word());
  if (parsed.model.empty()) return std::nullopt;
  if (TakePrefix(path, "/versions/")) {
    parsed.version.version = ParseVersion(word());
    if (!parsed.version.version) return std::nullopt;
  } else if (TakePrefix(path, "/labels/")) {
    parsed.version.label = http::PercentDecode(word());
    if (parsed.version.label.empty()) return std::nullopt;
  }
  parsed.rest = path;
  return parsed;
}

Response Malformed(const Request& request) {
  return JsonError(400, "Malformed request: " + request.method + " " + request.path);
}

std::string OneLine(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), '\n'), text.end());
  return text;
}

void AddCors(Response& response) {
  response.headers.Set("Access-Control-Allow-Origin", "*");
  response.headers.Set("Access-Control-Allow-Methods", "POST, GET");
  response.headers.Set("Access-Control-Allow-Headers", "Content-Type");
}

Response Unsupported(const std::string& type) {
  return JsonError(415, "Unsupported Media Type: " + (type.empty() ? "Unknown" : type));
}

// In row format every output has one row for each instance.
Status CheckOutputs(const Signature& signature, const std::vector<Tensor>& outputs, int64_t rows) {
  for (size_t i = 0; i < outputs.size(); ++i)
    if (outputs[i].shape().rank() == 0 || outputs[i].dim(0) != rows)
      return Fail(ErrorCode::kInvalidArgument, "Tensor name: {} has inconsistent batch size",
                  signature.outputs[i].name);
  return {};
}

// Whether the signature can do what is asked, before its body is read.
Status CheckMethod(const Signature& signature, const std::string& method, bool by_name) {
  if (method == "predict") return {};
  if (by_name) HEADRACE_TRY(CheckMethodName(signature, method));
  if (method == "classify") {
    HEADRACE_TRY(ClassesOutput(signature));
  } else {
    HEADRACE_TRY(RegressOutput(signature));
  }
  return {};
}

// A body's tensors by its content type. TensorFlow Serving takes any type for JSON; the binary ones are ours.
Result<PredictInputs> Decode(const JsonBody& body, const std::string& type, bool sagemaker, const std::string& method,
                             const Signature& signature) {
  if (type == kNpy) return NpyInputs(body.buffer(), signature);
  if (type == kRaw) return RawInputs(body.buffer(), signature);
  if (method != "predict") return ParseExamples(body, signature);
  if (!sagemaker) return ParsePredict(body, JsonForm::kObject, signature);
  if (type == "text/csv") return CsvInputs(body.text(), signature);
  return ParsePredict(body, FormOf(body.text()), signature);
}

Result<Response> Encode(const Signature& signature, const std::vector<Tensor>& outputs, const PredictInputs& inputs,
                        const std::string& method, const std::string& accept, bool sagemaker) {
  if (method != "predict") {
    const bool classify = method == "classify";
    HEADRACE_ASSIGN(const size_t output, classify ? ClassifyOutput(signature) : RegressOutput(signature));
    const Tensor& values = outputs[output];
    if (!classify) return http::TextResponse(200, kJson, RegressResponse(values));
    HEADRACE_ASSIGN(const auto classes, ClassesOutput(signature));
    return http::TextResponse(
        200, kJson,
        classes ? ClassifyResponse(values, outputs[*classes], signature.LabelsOf(*classes)) : ClassifyResponse(values));
  }
  if (accept == kNpy || accept == kRaw) {
    if (outputs.size() != 1)
      return Fail(ErrorCode::kInvalidArgument, "Accept: {} carries one tensor, the signature has {} outputs", accept,
                  outputs.size());
    if (signature.LabelsOf(0) != nullptr)
      return Fail(ErrorCode::kInvalidArgument, "Accept: {} carries numbers, output '{}' is strings", accept,
                  signature.outputs[0].name);
    if (accept == kNpy) return http::TextResponse(200, kNpy, WriteNpy(outputs[0]));
    const auto* bytes = static_cast<const char*>(outputs[0].raw());
    Response response = http::TextResponse(200, kRaw, std::string(bytes, outputs[0].bytes()));
    std::string shape;
    for (const int64_t dim : outputs[0].shape().dims()) shape += (shape.empty() ? "" : ",") + std::to_string(dim);
    response.headers.Set("X-Tensor-Shape", shape);
    return response;
  }
  if (inputs.row_format) HEADRACE_TRY(CheckOutputs(signature, outputs, inputs.rows()));
  std::string text = PredictResponse(signature, outputs, inputs.row_format);
  const bool lines = sagemaker && (accept == kJson || accept == "application/jsonlines");
  return http::TextResponse(200, lines ? accept : kJson, lines ? OneLine(std::move(text)) : std::move(text));
}

}  // namespace

http::Task<Response> RestApi::Handle(Request& request) {
  const std::string path = request.path;
  std::string_view rest = path;
  Response response;
  if (path == "/invocations") {
    auto call = SageMakerCall(request);
    if (request.method != "POST") {
      response = Malformed(request);
    } else if (!call) {
      response = ErrorResponse(call.error());
    } else {
      response = co_await Invoke(request, std::move(*call));
    }
  } else if (request.method == "OPTIONS" && options_.cors) {
    const std::string origin = request.headers.Get("Origin");
    response.status = origin.rfind("http://", 0) == 0 || origin.rfind("https://", 0) == 0 ? 200 : 400;
  } else if (request.method == "GET" || request.method == "HEAD") {
    response = Get(request, path);
  } else if (request.method == "POST" && TakePrefix(rest, "/v1/models/")) {
    const auto parsed = ParseModelPath(rest);
    std::string method = parsed ? std::string(parsed->rest) : "";
    std::transform(method.begin(), method.end(), method.begin(), [](unsigned char c) { return std::tolower(c); });
    if (method == ":predict" || method == ":classify" || method == ":regress") {
      Call call{parsed->model, parsed->version, method.substr(1), false};  // named: GCC 12 destroys a temporary twice
      response = co_await Invoke(request, std::move(call));
    } else {
      response = Malformed(request);
    }
  } else if (TakePrefix(rest, "/v1/")) {
    response = Malformed(request);
  } else {
    response = JsonError(404, "Not found: " + request.method + " " + request.path);
  }
  if (options_.cors) AddCors(response);
  CompressBody(request, response);
  co_return response;
}

http::Task<Response> RestApi::Invoke(Request& request, Call call) {
  const auto start = Clock::now();
  request.log_detail = "model " + call.method;
  auto outcome = co_await Compute(request, call);
  Response response = outcome ? std::move(outcome->response) : ErrorResponse(outcome.error());
  const bool known = outcome || outcome.error().code() != ErrorCode::kNotFound;  // others' names are not ours to keep
  metrics_.Count(known ? call.model : "", call.method, NameOfStatus(response.status), outcome ? outcome->rows : 0,
                 SecondsSince(start), outcome ? outcome->compute_seconds : 0);
  co_return response;
}

http::Task<Result<RestApi::Outcome>> RestApi::Compute(Request& request, const Call& call) {
  const std::string type = http::MediaType(request.headers.Get("Content-Type"));
  if (call.sagemaker && type != kJson && type != "application/jsonlines" && type != "application/jsons" &&
      type != "text/csv" && type != kNpy && type != kRaw) {
    Outcome refused;
    refused.response = Unsupported(type);
    co_return refused;
  }
  auto found = models_.Find(call.model, call.version);
  if (!found) co_return tl::unexpected<Error>(std::move(found.error()));
  auto bytes = co_await ReadBody(request, options_.max_body_bytes);
  if (!bytes) co_return tl::unexpected<Error>(std::move(bytes.error()));
  std::optional<JsonBody> body(std::move(*bytes));
  const bool binary = type == kNpy || type == kRaw || type == "text/csv";
  std::string name = request.headers.Get("X-Signature-Name");
  if (!binary) {
    auto named = SignatureName(*body);
    // SageMaker's other forms are no objects.
    if (!named && !(call.sagemaker && FormOf(body->text()) != JsonForm::kObject))
      co_return tl::unexpected<Error>(std::move(named.error()));
    if (named && !named->empty()) name = *named;
  }
  const auto index = found->servable->FindSignature(name);
  if (!index) co_return tl::unexpected<Error>(index.error());
  const Signature& signature = found->servable->signatures()[*index];
  if (auto fits = CheckMethod(signature, call.method, options_.check_method_names); !fits)
    co_return tl::unexpected<Error>(std::move(fits.error()));
  auto inputs = Decode(*body, type, call.sagemaker, call.method, signature);
  if (!inputs) co_return tl::unexpected<Error>(std::move(inputs.error()));
  body.reset();  // its memory is not needed while waiting
  const auto start = Clock::now();
  PredictInputs shape;
  shape.tensors.push_back(inputs->tensors[0]);
  shape.row_format = inputs->row_format;
  std::vector<Tensor> tensors = std::move(inputs->tensors);
  std::shared_ptr<Servable> servable = found->servable;
  auto outputs = co_await serving::Compute(batcher_, std::move(servable), *index, std::move(tensors));
  if (!outputs) co_return tl::unexpected<Error>(std::move(outputs.error()));
  Outcome outcome;
  outcome.compute_seconds = SecondsSince(start);
  outcome.rows = shape.rows();
  auto response = Encode(signature, *outputs, shape, call.method, Accepted(request), call.sagemaker);
  if (!response) co_return tl::unexpected<Error>(std::move(response.error()));
  outcome.response = std::move(*response);
  outcome.response.headers.Set("X-Model-Version", std::to_string(found->version));
  co_return outcome;
}

Response RestApi::Get(const Request& request, const std::string& path) {
  std::string_view rest = path;
  if (path == "/ping") return Ping();
  if (path == "/healthz") return http::TextResponse(200, "text/plain", "ok\n");
  if (path == "/metrics" || path == "/monitoring/prometheus/metrics" ||
      (!options_.metrics_path.empty() && path == options_.metrics_path))
    return http::TextResponse(200, "text/plain; version=0.0.4", metrics_.Render(batcher_));
  if (path == "/v1/models" || path == "/v1/models/") {
    std::string text = "{\n  \"models\": [";
    for (const std::string& name : models_.Names()) {
      if (text.back() != '[') text += ", ";
      AppendJsonString(name, text);
    }
    return http::TextResponse(200, kJson, text + "]\n}");
  }
  if (TakePrefix(rest, "/v1/models/")) {
    const auto parsed = ParseModelPath(rest);
    if (parsed && parsed->rest.empty()) return Status(parsed->model, parsed->version);
    if (parsed && ::strncasecmp(std::string(parsed->rest).c_str(), "/metadata", 16) == 0)
      return Metadata(parsed->model, parsed->version);
    return Malformed(request);
  }
  if (TakePrefix(rest, "/v1/")) return Malformed(request);
  return JsonError(404, "Not found: " + request.method + " " + request.path);
}

Response RestApi::Status(const std::string& model, const VersionChoice& choice) {
  const auto statuses = models_.Status(model, choice);
  if (!statuses) return ErrorResponse(statuses.error());
  std::string text = "{\n \"model_version_status\": [";
  for (const VersionStatus& status : *statuses) {
    if (text.back() != '[') text += ",";
    text += fmt::format(
        "\n  {{\n   \"version\": \"{}\",\n   \"state\": \"{}\",\n   \"status\": {{\n    \"error_code\": \"{}\",\n"
        "    \"error_message\": ",
        status.version, NameOf(status.state), status.error.empty() ? "OK" : "UNKNOWN");
    AppendJsonString(status.error, text);
    text += "\n   }\n  }";
  }
  return http::TextResponse(200, kJson, text + "\n ]\n}\n");
}

Response RestApi::Metadata(const std::string& model, const VersionChoice& choice) {
  const auto found = models_.Find(model, choice);
  if (!found) return ErrorResponse(found.error());
  return http::TextResponse(200, kJson, MetadataJson(model, found->version, found->servable->definitions()));
}

std::string RestApi::DefaultModel() const {
  if (!options_.default_model.empty()) return options_.default_model;
  const auto names = models_.Names();
  return names.empty() ? "" : names.front();
}

Response RestApi::Ping() {
  const auto found = models_.Find(DefaultModel(), {});
  if (found) return http::TextResponse(200, kJson, "{\"status\": \"AVAILABLE\"}\n");
  return JsonError(502, "model '" + DefaultModel() + "' is not available");
}

// tfs-model-name=N,tfs-model-version=V,tfs-method=predict in one header.
Result<RestApi::Call> RestApi::SageMakerCall(const Request& request) {
  Call call{DefaultModel(), {}, "predict", true};
  const std::string attributes = request.headers.Get("X-Amzn-SageMaker-Custom-Attributes");
  std::string_view rest = attributes;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(','), rest.size());
    std::string_view item = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (!item.empty() && item[0] == ' ') item.remove_prefix(1);
    if (TakePrefix(item, "tfs-model-name=")) {
      call.model = item;
    } else if (TakePrefix(item, "tfs-model-version=")) {
      call.version.version = ParseVersion(item);
      if (!call.version.version)
        return Fail(ErrorCode::kInvalidArgument, "tfs-model-version: found '{}', wanted a number", item.substr(0, 40));
    } else if (TakePrefix(item, "tfs-method=")) {
      call.method = item;
      if (call.method != "predict" && call.method != "classify" && call.method != "regress")
        return Fail(ErrorCode::kInvalidArgument, "tfs-method: found '{}', wanted predict, classify or regress",
                    item.substr(0, 40));
    }
  }
  return call;
}

}  // namespace headrace::serving
