// Configuration: what the clients of one ClientOptions share. Settings, endpoints and credentials are found at the
// first call that needs them; connections, the quota of retries and the difference of the clocks are kept between
// calls.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "sagemaker/clients/services.h"
#include "sagemaker/credentials/chain.h"
#include "sagemaker/settings/settings.h"
#include "sagemaker/transport/http.h"
#include "sagemaker/transport/retry.h"

namespace headrace::sagemaker {

struct Endpoint {
  std::string url;   // "https://host:port", without a slash at the end
  std::string host;  // with its port when that is not the scheme's
  bool secure = false;
  bool aws = false;           // AWS's own, not configured
  bool from_profile = false;  // it stands in the profile whose keys are used
};

// Endpoint parts of a URL; kInvalidArgument for one that is not http://HOST or https://HOST.
Outcome<Endpoint> ParseEndpoint(const std::string& url);

class Configuration : public std::enable_shared_from_this<Configuration> {
 public:
  // What tests replace.
  struct Seams {
    Environment environment = ProcessEnvironment();
    std::shared_ptr<HttpSender> sender;  // null: libcurl
    std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>();
    std::function<void(std::chrono::milliseconds, const std::stop_token&)> sleep;  // null: really
  };

  explicit Configuration(ClientOptions options, Seams seams);
  static std::shared_ptr<Configuration> Make(const ClientOptions& options);

  const ClientOptions& options() const { return options_; }
  Outcome<const Settings*> settings();
  Outcome<std::string> region();
  Outcome<Endpoint> EndpointOf(const Service& service);
  // "Configuration" when the keys are ambient and `endpoint` is nobody's they were made for.
  Outcome<FoundCredentials> CredentialsFor(const Endpoint& endpoint);
  Outcome<HttpSender*> sender();
  Outcome<int> max_attempts();

  UnixMillis Now() const { return seams_.clock->Now() + skew_millis_; }
  // The service's Date in an answer: what Now() will be from then on. Whether it has changed by much.
  bool CorrectClock(const HttpReply& reply);
  void Sleep(std::chrono::milliseconds duration, const std::stop_token& stop) const;
  RetryQuota& quota() { return quota_; }

 private:
  Outcome<FoundCredentials> LookForCredentials();
  Outcome<FoundCredentials> AskStsFor(const std::string& operation,
                                      const std::map<std::string, std::string>& parameters,
                                      const FoundCredentials& asker);
  Outcome<void> CheckMayGo(const FoundCredentials& keys, const Endpoint& endpoint) const;

  const ClientOptions options_;
  const Seams seams_;
  RetryQuota quota_;
  std::atomic<int64_t> skew_millis_ = 0;

  std::mutex settings_mutex_;
  std::optional<Outcome<Settings>> settings_;
  std::mutex sender_mutex_;
  std::shared_ptr<HttpSender> sender_;
  std::mutex credentials_mutex_;
  std::optional<FoundCredentials> credentials_;
};

}  // namespace headrace::sagemaker
