#include "sagemaker/clients/call.h"

#include <random>

#include "aws/digest.h"
#include "sagemaker/transport/either_stop.h"
#include "sagemaker/transport/signing.h"

namespace headrace::sagemaker {
namespace {

using std::chrono::steady_clock;

Deadline DeadlineOf(const ClientOptions& client, const CallOptions& call) {
  const auto timeout = call.timeout.count() > 0 ? call.timeout : client.timeout;
  if (timeout.count() <= 0) return std::nullopt;
  return steady_clock::now() + timeout;
}

double RandomShare() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return std::uniform_real_distribution<>(0.0, 1.0)(generator);
}

// Buckets whose name may stand in front of the host: one label of DNS, so that the certificate covers it.
bool FitsHost(const std::string& bucket) {
  return bucket.size() >= 3 && bucket.size() <= 63 &&
         bucket.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos &&
         bucket.front() != '-' && bucket.back() != '-';
}

struct Target {
  UnsignedRequest request;
  std::string url;
};

Target TargetOf(const Endpoint& endpoint, const ServiceRequest& request) {
  Target target{{request.method, endpoint.host, request.path, request.query}, {}};
  std::string base = endpoint.url;
  if (!request.bucket.empty() && endpoint.aws && FitsHost(request.bucket)) {
    const std::string prefix = request.bucket + ".";
    target.request.host.insert(0, prefix);
    base.insert(base.find("://") + 3, prefix);
  } else if (!request.bucket.empty()) {
    target.request.path = "/" + UriEncode(request.bucket) + (request.path == "/" ? "" : request.path);
  }
  target.url = base + target.request.path + (request.query.empty() ? "" : "?" + request.query);
  return target;
}

class Attempts {
 public:
  Attempts(Configuration& configuration, const ServiceRequest& request, const CallOptions& options)
      : configuration_(configuration),
        request_(request),
        stop_(configuration.options().stop, options.stop),
        deadline_(DeadlineOf(configuration.options(), options)),
        max_attempts_(options.max_attempts) {}

  Outcome<HttpReply> Run() {
    if (max_attempts_ <= 0) {
      auto attempts = configuration_.max_attempts();
      if (!attempts.ok()) return attempts.error();
      max_attempts_ = *attempts;
    }
    for (int attempt = 1;; ++attempt) {
      auto endpoint = EndpointNow();
      if (!endpoint.ok()) return endpoint.error();
      auto reply = Once(*endpoint);
      if (reply.ok()) {
        configuration_.quota().Succeeded(acquired_);
        return reply;
      }
      ServiceError error = reply.error();
      error.attempts = attempt;
      if (attempt >= max_attempts_ || !MayRetry(error, attempt)) return error;
    }
  }

 private:
  // A bucket of another region is asked there. False when the client is there already.
  bool MoveTo(const std::string& region) {
    auto own = configuration_.region();
    if (!own.ok() || *own == region || !IsRegion(region)) return false;
    region_ = region;
    return true;
  }

  Outcome<Endpoint> EndpointNow() const {
    auto endpoint = configuration_.EndpointOf(request_.service);
    if (!endpoint.ok() || region_.empty()) return endpoint;
    auto moved = ParseEndpoint(AwsEndpoint(request_.service, region_));
    if (moved.ok()) moved->aws = true;
    return moved;
  }

  Outcome<HttpReply> Once(const Endpoint& endpoint) {
    const Target target = TargetOf(endpoint, request_);
    auto headers = Headers(endpoint, target);
    if (!headers.ok()) return headers.error();
    auto sender = configuration_.sender();
    if (!sender.ok()) return sender.error();
    const HttpRequest http{request_.method, target.url,    std::move(*headers),   request_.body,
                           request_.file,   request_.sink, request_.restart_sink, request_.max_reply_bytes};
    auto reply = (*sender)->Send(http, deadline_, stop_.token());
    again_at_once_ = false;
    if (reply.ok() && FailedBehindItsStatus(*reply)) reply->status = 500;
    if (!reply.ok() || reply->status / 100 == 2) return reply;
    ServiceError refusal = ReadRefusal(request_.operation, *reply);
    if (SaysClockIsWrong(refusal.service_code)) again_at_once_ = configuration_.CorrectClock(*reply);
    const std::string region = reply->Header("x-amz-bucket-region");
    if (endpoint.aws && region_.empty() && MoveTo(region)) again_at_once_ = true;
    return refusal;
  }

  // S3 begins the answer of an operation that takes long with 200, and may fail then.
  bool FailedBehindItsStatus(const HttpReply& reply) const {
    return reply.status == 200 && request_.method == "POST" && !request_.bucket.empty() &&
           reply.body.find("<Error>") != std::string::npos;
  }

  Outcome<std::vector<HttpHeader>> Headers(const Endpoint& endpoint, const Target& target) {
    std::vector<HttpHeader> headers = request_.headers;
    headers.push_back({"User-Agent", "headrace-sdk"});
    if (!request_.sign) return headers;
    Credentials keys;
    if (request_.signer) {
      keys = *request_.signer;
    } else {
      auto found = configuration_.CredentialsFor(endpoint);
      if (!found.ok()) return found.error();
      keys = found->keys;
    }
    auto region = region_.empty() ? configuration_.region() : Outcome<std::string>(region_);
    if (!region.ok()) return region.error();
    if (hash_.empty())
      hash_ = request_.payload_hash.empty() ? aws::Hex(aws::Sha256(request_.body)) : request_.payload_hash;
    return SignedHeaders(target.request, headers, keys, SigningRegion(request_.service, *region, endpoint.aws),
                         std::string(request_.service.signing_name), configuration_.Now(), hash_);
  }

  // Waits before the next attempt where there may be one.
  bool MayRetry(const ServiceError& error, int attempt) {
    if (again_at_once_) return true;
    const Trouble trouble = TroubleOf(error);
    if (trouble == Trouble::kNone) return false;
    const auto acquired = configuration_.quota().Acquire(trouble);
    if (!acquired) return false;
    acquired_ = *acquired;
    const auto wait = Backoff(trouble, attempt - 1, RandomShare());
    if (deadline_ && steady_clock::now() + wait >= *deadline_) return false;
    configuration_.Sleep(wait, stop_.token());
    return !stop_.token().stop_requested();
  }

  Configuration& configuration_;
  const ServiceRequest& request_;
  const EitherStop stop_;
  const Deadline deadline_;
  int max_attempts_;
  int acquired_ = 0;            // from the quota, for the last retry
  bool again_at_once_ = false;  // the answer said what to do otherwise
  std::string region_;          // where the bucket is, when that is not the client's
  std::string hash_;
};

}  // namespace

Outcome<HttpReply> Send(Configuration& configuration, const ServiceRequest& request, const CallOptions& options) {
  return Attempts(configuration, request, options).Run();
}

}  // namespace headrace::sagemaker
