#include "sagemaker/clients/configuration.h"

#include <condition_variable>
#include <cstdlib>

#include "aws/time.h"
#include "sagemaker/transport/curl_sender.h"

namespace headrace::sagemaker {
namespace {

constexpr int kDefaultAttempts = 3;
constexpr int64_t kTolerableSkewMillis = 4 * 60 * 1000;
constexpr int64_t kRefreshMillis = 10 * 60 * 1000;  // before keys end

// "host" of "host:8080", "[::1]" of "[::1]:8080".
std::string HostName(const std::string& host) {
  return host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.find(':'));
}

ServiceError FromBase(const Error& error) { return LocalError(error.code(), "Configuration", error.message()); }

}  // namespace

Outcome<Endpoint> ParseEndpoint(const std::string& url) {
  Endpoint endpoint;
  const std::string_view text = url;
  std::string_view rest;
  if (text.starts_with("https://")) {
    endpoint.secure = true;
    rest = text.substr(8);
  } else if (text.starts_with("http://")) {
    rest = text.substr(7);
  }
  while (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.empty() || rest.find_first_of("/?#@ \t\r\n") != std::string_view::npos)
    return LocalError(ErrorCode::kInvalidArgument, "Configuration",
                      "endpoint: found '" + url + "', wanted http://HOST[:PORT] or https://HOST[:PORT]");
  endpoint.url = text.substr(0, (endpoint.secure ? 8 : 7) + rest.size());
  const std::string_view usual = endpoint.secure ? ":443" : ":80";
  endpoint.host = rest.ends_with(usual) ? rest.substr(0, rest.size() - usual.size()) : rest;
  return endpoint;
}

Configuration::Configuration(ClientOptions options, Seams seams)
    : options_(std::move(options)), seams_(std::move(seams)) {}

std::shared_ptr<Configuration> Configuration::Make(const ClientOptions& options) {
  return std::make_shared<Configuration>(options, Seams{});
}

Outcome<const Settings*> Configuration::settings() {
  const std::lock_guard lock(settings_mutex_);
  if (!settings_) {
    auto loaded = Settings::Load(seams_.environment, options_.profile);
    if (loaded) {
      settings_.emplace(std::move(*loaded));
    } else {
      settings_.emplace(FromBase(loaded.error()));
    }
  }
  if (!settings_->ok()) return settings_->error();
  return &settings_->value();
}

Outcome<std::string> Configuration::region() {
  std::string region = options_.region;
  if (region.empty()) {
    auto found = settings();
    if (!found.ok()) return found.error();
    region = (*found)->region().value_or("");
  }
  if (region.empty())
    return LocalError(ErrorCode::kFailedPrecondition, "Configuration",
                      "no region: set AWS_DEFAULT_REGION, or `region` in the profile or the options");
  if (!IsRegion(region))
    return LocalError(ErrorCode::kInvalidArgument, "Configuration",
                      "region: found '" + region + "', wanted letters, digits and dashes");
  return region;
}

Outcome<Endpoint> Configuration::EndpointOf(const Service& service) {
  if (!options_.endpoint_url.empty()) return ParseEndpoint(options_.endpoint_url);
  auto found = settings();
  if (!found.ok()) return found.error();
  auto configured = (*found)->EndpointOf(std::string(service.endpoint_id));
  if (!configured) return FromBase(configured.error());
  if (*configured) {
    auto endpoint = ParseEndpoint((*configured)->url);
    if (endpoint.ok()) endpoint->from_profile = (*configured)->from_profile;
    return endpoint;
  }
  auto where = region();
  if (!where.ok()) return where.error();
  auto endpoint = ParseEndpoint(AwsEndpoint(service, *where));
  if (endpoint.ok()) endpoint->aws = true;
  return endpoint;
}

Outcome<FoundCredentials> Configuration::CredentialsFor(const Endpoint& endpoint) {
  if (options_.credentials) return FoundCredentials{*options_.credentials, "explicit", {}, false};
  FoundCredentials found;
  {
    const std::lock_guard lock(credentials_mutex_);
    const bool fresh = credentials_ && (!credentials_->expires || *credentials_->expires - kRefreshMillis > Now());
    if (!fresh) {
      auto looked = LookForCredentials();
      if (!looked.ok()) return looked.error();
      credentials_ = *looked;
    }
    found = *credentials_;
  }
  if (auto may = CheckMayGo(found, endpoint); !may.ok()) return may.error();
  return found;
}

Outcome<void> Configuration::CheckMayGo(const FoundCredentials& keys, const Endpoint& endpoint) const {
  const bool meant = !keys.ambient || endpoint.from_profile || options_.ambient_credentials_anywhere;
  const std::string host = HostName(endpoint.host);
  if (meant || IsAwsHost(host) || IsLoopback(host)) return {};
  return LocalError(ErrorCode::kFailedPrecondition, "Configuration",
                    "keys of " + keys.method + " are not sent to " + endpoint.url +
                        ", which is neither AWS nor this machine: write endpoint_url into their profile, set "
                        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or set ambient_credentials_anywhere");
}

Outcome<FoundCredentials> Configuration::LookForCredentials() {
  auto found = settings();
  if (!found.ok()) return found.error();
  bool overridden = !options_.endpoint_url.empty();
  for (const char* id : {"s3", "sagemaker", "sagemaker_runtime", "cloudwatch", "cloudwatch_logs", "sts", "iam"}) {
    const auto configured = (*found)->EndpointOf(id);
    overridden = overridden || (configured && configured->has_value());
  }
  std::shared_ptr<HttpSender> local = seams_.sender;
  if (!local) {
    using std::chrono::milliseconds;
    local = MakeCurlSender(
        {.ca_bundle = {}, .connect_timeout = milliseconds(500), .idle_timeout = milliseconds(500), .proxies = false});
  }
  return FindCredentials({.settings = **found,
                          .http = *local,
                          .ask_sts = [this](const auto& operation, const auto& parameters,
                                            const auto& asker) { return AskStsFor(operation, parameters, asker); },
                          .instance_metadata = !overridden,
                          .stop = options_.stop});
}

Outcome<HttpSender*> Configuration::sender() {
  const std::lock_guard lock(sender_mutex_);
  if (!sender_) sender_ = seams_.sender;
  if (!sender_) {
    CurlOptions curl{.ca_bundle = options_.ca_bundle,
                     .connect_timeout = options_.connect_timeout,
                     .idle_timeout = options_.idle_timeout};
    if (curl.ca_bundle.empty()) {
      auto found = settings();
      if (!found.ok()) return found.error();
      curl.ca_bundle = (*found)->ca_bundle().value_or("");
    }
    sender_ = MakeCurlSender(curl);
  }
  return sender_.get();
}

Outcome<int> Configuration::max_attempts() {
  if (options_.max_attempts > 0) return options_.max_attempts;
  auto found = settings();
  if (!found.ok()) return found.error();
  const auto attempts = (*found)->max_attempts();
  if (!attempts) return FromBase(attempts.error());
  return attempts->value_or(kDefaultAttempts);
}

bool Configuration::CorrectClock(const HttpReply& reply) {
  const auto date = aws::ParseHttpDate(reply.Header("Date"));
  if (!date) return false;
  const int64_t skew = *date - seams_.clock->Now();
  if (std::llabs(skew - skew_millis_) < kTolerableSkewMillis) return false;
  skew_millis_ = skew;
  return true;
}

void Configuration::Sleep(std::chrono::milliseconds duration, const std::stop_token& stop) const {
  if (seams_.sleep) return seams_.sleep(duration, stop);
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, stop, duration, [] { return false; });
}

}  // namespace headrace::sagemaker
