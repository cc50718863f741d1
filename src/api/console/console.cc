#include "api/console/console.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/crypto.h>

#include "api/console/assets.h"
#include "api/console/curves.h"
#include "api/console/guards.h"
#include "aws/limits.h"
#include "base/log.h"
#include "http/blocking.h"
#include "http/memory_body.h"

namespace headrace::api {
namespace {

using console::ErrorResponse;
using console::SignedIn;
using http::Request;
using http::Response;
using http::Task;
using nlohmann::json;

constexpr size_t kMostSignInBytes = 4096;

// The JSON services of the console's pages.
struct JsonService {
  std::string_view name, target_prefix, version;
};
constexpr JsonService kServices[] = {{"sagemaker", "SageMaker", "1.1"},
                                     {"logs", "Logs_20140328", "1.1"},
                                     {"monitoring", "GraniteServiceVersion20100801", "1.0"},
                                     {"headrace", "HeadraceConsole", "1.1"}};

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool IsRead(const Request& request) { return request.method == "GET" || request.method == "HEAD"; }

std::string TextOf(const json& object, const char* member) {
  const auto found = object.is_object() ? object.find(member) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool SameSecret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// What is asked of the services; /console/endpoints/NAME itself is a place.
bool IsForServices(std::string_view path) {
  return path.starts_with("/console/api/") || path.starts_with("/console/objects/") ||
         (path.starts_with("/console/endpoints/") && path.ends_with("/invocations"));
}

json Described(const SignedIn& who) { return {{"User", who.user}, {"AccountId", who.account_id}}; }

// Whose temporary credentials end when those of `access_key_id` do.
Result<SignedIn> Derive(store::Principals& principals, const std::string& access_key_id,
                        const aws::Identity& identity) {
  HEADRACE_ASSIGN(const auto key, principals.AddDerivedKey(access_key_id, identity.arn, console::kSessionMillis));
  return SignedIn{identity.user, identity.account_id, {key.access_key_id, key.secret_access_key, key.session_token}};
}

// What a page may send along to a service; the rest (cookies first of all) ends here.
constexpr std::string_view kPassedOn[] = {"Host",
                                          "Content-Type",
                                          "Accept",
                                          "Range",
                                          "If-Match",
                                          "If-Modified-Since",
                                          "If-None-Match",
                                          "If-Unmodified-Since",
                                          "X-Amzn-SageMaker-Target-Variant"};

void KeepPassedOn(Request& request) {
  http::Headers kept;
  for (const std::string_view name : kPassedOn)
    if (const std::string* value = request.headers.Find(name)) kept.Set(std::string(name), *value);
  request.headers = std::move(kept);
}

void SetTarget(Request& request, std::string path, std::string query) {
  request.target = query.empty() ? path : fmt::format("{}?{}", path, query);
  request.path = std::move(path);
  request.query = std::move(query);
}

// What people have stored is shown as data, never as a page of ours.
void Disarm(Response& response) {
  response.headers.Set("Content-Security-Policy", "sandbox; default-src 'none'");
  response.headers.Set("X-Content-Type-Options", "nosniff");
  response.headers.Set("Content-Disposition", "attachment");
  response.headers.Set("Cache-Control", "no-store");
}

}  // namespace

Console::Console(ConsoleOptions options) : options_(std::move(options)), sessions_(options_.steady) {}

bool Console::Wants(const Request& request) {
  if (request.headers.Has("Authorization") || request.query.find("Signature=") != std::string::npos) return false;
  if (request.path.starts_with("/console/") || request.path == "/console") return true;
  const bool place = request.path == "/" || request.path == "/cloudwatch/home";
  return place && IsRead(request) && request.headers.Get("Accept").find("text/html") != std::string::npos;
}

Task<Response> Console::Handle(Request& request) {
  request.log_detail = "console";
  std::string_view rest = request.path;
  if (TakePrefix(rest, "/console/assets/")) co_return console::AssetResponse(request, rest);
  if (rest == "/console/session") co_return co_await Session(request);
  if (IsForServices(rest)) co_return co_await Forward(request);
  if (IsRead(request)) co_return console::PageResponse(request);
  co_return ErrorResponse(405, "MethodNotAllowed",
                          fmt::format("{}: a place of the console is only read.", request.method));
}

Task<Response> Console::Session(Request& request) {
  if (auto refused = console::RefuseForeignPage(request)) co_return std::move(*refused);
  if (request.method == "POST") co_return co_await SignIn(request);
  const std::string id(console::SessionCookie(request));
  const auto who = sessions_.Find(id);
  if (!who) co_return ErrorResponse(401, "SignedOut", "No session: sign in.");
  if (request.method == "DELETE") {
    sessions_.Close(id);
    Response response = http::TextResponse(200, "application/json", "{}");
    response.headers.Set("Set-Cookie", console::MakeSessionCookie("", request.secure));
    const auto work = [&] { return options_.principals.RevokeKey(who->credentials.access_key_id); };
    const auto revoked = co_await http::OnPool(options_.pool, work);
    if (!revoked) Log(LogLevel::kWarning, "console: a session's key was not revoked: {}", revoked.error().message());
    co_return response;
  }
  co_return http::TextResponse(200, "application/json", Described(*who).dump());
}

Task<Response> Console::SignIn(Request& request) {
  if (auto refused = console::RefusePlainNetwork(request)) co_return std::move(*refused);
  const auto body = co_await http::ReadAll(*request.body, kMostSignInBytes);
  if (!body) co_return ErrorResponse(400, "MalformedSignIn", body.error().message());
  const json given = json::parse(*body, nullptr, false);
  const auto work = [&] { return Exchange(given); };
  auto who = co_await http::OnPool(options_.pool, work);
  if (!who) {
    const bool busy = who.error().code() == ErrorCode::kUnavailable;
    co_return ErrorResponse(busy ? 503 : 403, busy ? "ServiceUnavailable" : "SignInRefused", who.error().message());
  }
  request.Trust();
  Response response = http::TextResponse(200, "application/json", Described(*who).dump());
  response.headers.Set("Set-Cookie", console::MakeSessionCookie(sessions_.Open(std::move(*who)), request.secure));
  response.headers.Set("Cache-Control", "no-store");
  co_return response;
}

Result<SignedIn> Console::Exchange(const json& credentials) {
  if (const std::string ticket = TextOf(credentials, "Ticket"); !ticket.empty()) {
    auto who = sessions_.Redeem(ticket);
    if (who) return std::move(*who);
    return Fail(ErrorCode::kFailedPrecondition,
                "This link has been used, or is older than a minute: ask headrace console for another.");
  }
  const std::string id = TextOf(credentials, "AccessKeyId");
  const auto key = options_.keys.Find(id);
  // Of an unknown key and a wrong secret the same is said, so that nobody learns which keys there are.
  if (!key || !key->session_token.empty() ||
      !SameSecret(key->secret_access_key, TextOf(credentials, "SecretAccessKey")))
    return Fail(ErrorCode::kFailedPrecondition, "The access key and the secret do not belong together here.");
  return Derive(options_.principals, id, key->identity);
}

Task<Response> Console::Forward(Request& request) {
  std::string_view rest = request.path;
  const bool objects = rest.starts_with("/console/objects/");
  // A link to an object is followed without the header; the cookie is sent to this site's own links only.
  if (!(objects && IsRead(request)))
    if (auto refused = console::RefuseForeignPage(request)) co_return std::move(*refused);
  const auto who = sessions_.Find(console::SessionCookie(request));
  if (!who) co_return ErrorResponse(401, "SignedOut", "No session: sign in.");
  if (TakePrefix(rest, "/console/api/")) {
    const std::string operation(rest);
    co_return co_await CallService(request, *who, operation);
  }
  // Named: GCC 12 destroys some temporaries of an awaiting expression twice.
  const std::string service = objects ? "s3" : "sagemaker";
  const std::string path = request.path.substr(std::string_view(objects ? "/console/objects" : "/console").size());
  Response response = co_await CallRest(request, *who, path, service);
  if (objects) Disarm(response);
  co_return response;
}

Task<Response> Console::CallService(Request& request, const SignedIn& who, std::string_view rest) {
  const size_t split = rest.find('/');
  const JsonService* service = nullptr;
  for (const JsonService& known : kServices)
    if (known.name == rest.substr(0, split)) service = &known;
  if (service == nullptr || split == std::string_view::npos || request.method != "POST")
    co_return ErrorResponse(
        404, "NoSuchOperation",
        fmt::format("{} {}: wanted POST /console/api/SERVICE/OPERATION.", request.method, request.path));
  auto body = co_await http::ReadAll(*request.body, aws::kMaxOperationBody);
  if (!body) co_return ErrorResponse(400, "MalformedRequest", body.error().message());
  KeepPassedOn(request);
  request.headers.Set("Content-Type", fmt::format("application/x-amz-json-{}", service->version));
  request.headers.Set("X-Amz-Target", fmt::format("{}.{}", service->target_prefix, rest.substr(split + 1)));
  SetTarget(request, "/", "");
  request.content_length = body->size();
  aws::Sign(request, who.credentials, {options_.region, std::string(service->name)}, options_.clock.Now(),
            aws::PayloadHash(*body));
  http::MemoryBody memory(*body);
  const http::BodyLoan loan(request, memory);
  Response response = co_await options_.services(request);
  response.headers.Set("Cache-Control", "no-store");
  co_return response;
}

Task<Response> Console::CallRest(Request& request, const SignedIn& who, const std::string& path,
                                 const std::string& service) {
  KeepPassedOn(request);
  SetTarget(request, path, request.query);
  const aws::SigningScope scope{options_.region, service};
  if (service == "s3") {
    aws::Sign(request, who.credentials, scope, options_.clock.Now(), aws::kUnsignedPayload);
    co_return co_await options_.services(request);
  }
  auto body = co_await http::ReadAll(*request.body, aws::kMaxRuntimeBody);
  if (!body) co_return ErrorResponse(413, "ModelInputTooLarge", body.error().message());
  request.content_length = body->size();
  aws::Sign(request, who.credentials, scope, options_.clock.Now(), aws::PayloadHash(*body));
  http::MemoryBody memory(*body);
  const http::BodyLoan loan(request, memory);
  Response response = co_await options_.services(request);
  response.headers.Set("X-Content-Type-Options", "nosniff");
  co_return response;
}

aws::Service Console::Service() {
  aws::Service service;
  service.signing_name = "headrace";
  service.target_prefix = "HeadraceConsole";
  service.operations["CreateSignInLink"] = [this](const aws::Call& call, const json&) -> aws::Reply<json> {
    auto who = Derive(options_.principals, call.caller.access_key_id, call.caller);
    if (!who) return aws::Refuse("AccessDeniedException", who.error().message(), 403);
    const std::string ticket = sessions_.MakeTicket(std::move(*who));
    return json{{"Url", fmt::format("{}/console#ticket={}", call.endpoint, ticket)}};
  };
  service.operations["GetMetricCurves"] = [this](const aws::Call& call, const json& input) {
    return console::GetMetricCurves(options_.database, call, input);
  };
  service.operations["CompareTrainingJob"] = [this](const aws::Call& call, const json& input) {
    return options_.compare_job(call, TextOf(input, "TrainingJobName"));
  };
  service.operations["DescribeMachine"] = [this](const aws::Call& call, const json&) -> aws::Reply<json> {
    return options_.describe_machine(call.caller.account_id);
  };
  service.operations["ExamineMachine"] = [this](const aws::Call& call, const json& input) -> aws::Reply<json> {
    const auto again = input.find("Again");
    auto told = options_.examine_machine(call.caller.account_id, again != input.end() && *again == true);
    if (!told) return aws::Refuse("AccessDeniedException", told.error().message(), 403);
    return std::move(*told);
  };
  return service;
}

}  // namespace headrace::api
