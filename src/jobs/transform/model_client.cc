#include "jobs/transform/model_client.h"

#include <chrono>
#include <thread>

namespace headrace::jobs {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::seconds kInstancePatience{60};  // that a killed model server may take to be there again
constexpr std::chrono::milliseconds kInstanceLook{5}, kFirstPause{100};

}  // namespace

// No instance gets more requests at a time than MaxConcurrentTransforms says, also while others are started again.
Result<Lease> ModelClient::TakeInstance() {
  const auto end = SteadyClock::now() + kInstancePatience;
  while (!stop_) {
    auto choice = routes_.Take({}, {});
    const bool any = choice.lease.has_value();
    if (any && choice.lease->target()->in_flight <= settings_.concurrent) return std::move(*choice.lease);
    choice.lease.reset();
    if (!any && SteadyClock::now() > end)
      return Fail(ErrorCode::kUnavailable, "no model server has been there for {} seconds", kInstancePatience.count());
    std::this_thread::sleep_for(kInstanceLook);
  }
  return Fail(ErrorCode::kUnavailable, "the job is stopped");
}

tl::expected<std::string, ModelClient::Failure> ModelClient::Ask(const http::ClientRequest& request) {
  auto answer = http::SendAndWait(client_, request, settings_.timeout);
  if (!answer) return tl::unexpected(Failure{0, answer.error().message(), false});
  if (answer->status == 200) return std::move(answer->body);
  return tl::unexpected(Failure{answer->status, std::move(answer->body), false});
}

tl::expected<std::string, ModelClient::Failure> ModelClient::Invoke(const std::string& body) {
  http::ClientRequest request{.method = "POST", .target = "/invocations", .body = body};
  if (!settings_.content_type.empty()) request.headers.Set("Content-Type", settings_.content_type);
  if (!settings_.accept.empty()) request.headers.Set("Accept", settings_.accept);
  for (int attempt = 0;; ++attempt) {
    auto lease = TakeInstance();
    if (!lease) return tl::unexpected(Failure{0, lease.error().message(), true});
    request.unix_socket = lease->target()->socket;
    auto answer = Ask(request);
    if (answer) return answer;
    const int status = answer.error().status;
    if (stop_ || attempt >= settings_.retries || !(status == 0 || status == 429 || status >= 500)) return answer;
    lease = Fail(ErrorCode::kUnavailable, "given back");
    std::this_thread::sleep_for(kFirstPause * (1 << attempt));
  }
}

}  // namespace headrace::jobs
